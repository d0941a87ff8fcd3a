"""What the live page remarks on, of runs that were made up."""

import re
from types import SimpleNamespace

import pytest

from capacity.domain.histogram import bucket_of
from capacity.domain.run import RunEvent
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.web import live_remarks
from capacity.settings.profile import ADAPTER
from capacity.settings.targets.slo import Objective, Slo

GUARDED = {"profile": 1, "name": "g", "kind": "ramp", "levels": [2], "guards": {}}


@pytest.mark.parametrize(
    ("share", "kind"), [(0.4, "ok"), (0.69, "ok"), (0.71, "near"), (0.99, "near"), (1.01, "bad")]
)
def test_a_guard_is_ok_near_its_bound_or_beyond_it(report, share, kind):
    profile = ADAPTER.validate_python(GUARDED)
    merged = MergedCounts()
    merged.add("a", report(lost=round(share * profile.guards.lost_ratio * 10_000)))
    controller = SimpleNamespace(
        recorder=SimpleNamespace(samples=()),
        preflight=SimpleNamespace(agent=None, limits=()),
        profile=profile,
        counts=merged,
        results=SimpleNamespace(connections_peak=10_000),
        target=SimpleNamespace(slo=None),
        ending=None,
    )

    remarks = live_remarks.of_guards(controller)

    assert [kind] == [remark.kind for remark in remarks if remark.text.startswith("loss:")]


def pool_of(*busy):
    gauges = {
        str(n): {"cpu_ratio": cpu, "descriptors_ratio": share}
        for n, (cpu, share) in enumerate(busy)
    }
    return SimpleNamespace(pool=SimpleNamespace(gauges=gauges), observations=[])


@pytest.mark.parametrize(
    ("busy", "kind", "said"),
    [
        ([(0.5, 0.1), (0.79, 0.2)], "ok", "2 workers; the busiest uses 79 % of a core and 20 %"),
        ([(0.81, 0.1)], "near", "1 worker; the busiest uses 81 % of a core"),
        ([(0.1, 0.81)], "near", "and 81 % of its descriptors"),
        ([(0.8, 0.8)], "ok", "and 80 % of its descriptors"),
    ],
)
def test_a_worker_that_uses_four_fifths_is_near_its_limit(busy, kind, said):
    (remark,) = live_remarks.of_generator(pool_of(*busy))

    assert kind == remark.kind
    assert said in remark.text


def test_a_step_that_is_void_is_told_and_the_lag_is_that_of_the_last_one():
    def step(index, lag_s, void=None):
        generator = None if lag_s is None else SimpleNamespace(lag_p95_s=lag_s)
        return SimpleNamespace(index=index, generator=generator, void=void)

    controller = pool_of()
    controller.observations = [step(1, 0.5), step(2, 0.002, "a worker was lost"), step(3, None)]
    remarks = list(live_remarks.of_generator(controller))

    assert ["ok", "bad"] == [remark.kind for remark in remarks]
    assert "2 ms late in the last step" in remarks[0].text
    assert "step 3 is void: a worker was lost" == remarks[1].text


def watched(starts, *, age_s=0.0, ending=None):
    """Return a run whose newest sample is so old, by a clock that is 100 s ahead of ours."""
    samples = [SimpleNamespace(target_started_at=each, at=1_000.0) for each in starts]
    return SimpleNamespace(
        recorder=SimpleNamespace(samples=samples, now=lambda: 900.0 + age_s),
        preflight=SimpleNamespace(
            agent="here", limits=(), clock_offset=SimpleNamespace(offset_s=100.0)
        ),
        profile=SimpleNamespace(guards=None),
        ending=ending,
    )


@pytest.mark.parametrize(
    ("starts", "kind"), [([1.0, None], "bad"), ([None, 1.0], "ok"), ([1.0, None, 2.0], "ok")]
)
def test_the_newest_sample_says_whether_the_target_is_alive(starts, kind):
    alive, unguarded = live_remarks.of_guards(watched(starts))

    assert (kind, "caveat") == (alive.kind, unguarded.kind)


@pytest.mark.parametrize(
    ("age_s", "ending", "kind", "said"),
    [
        (9.9, None, "ok", "the target's process is alive"),
        (10.1, None, "bad", "the agent has been silent for 10 s"),
        (3_700.0, ("finished", {}), "ok", "the target's process was alive at the end"),
    ],
)
def test_an_agent_that_is_silent_while_the_run_goes_on_is_told(age_s, ending, kind, said):
    remark, _unguarded = live_remarks.of_guards(watched([1.0], age_s=age_s, ending=ending))

    assert kind == remark.kind
    assert remark.text.startswith(said)


@pytest.mark.parametrize(("took_s", "kind"), [(0.06, "ok"), (0.09, "near"), (0.2, "bad")])
def test_an_objective_is_among_the_guards_with_what_it_reads_now(report, took_s, kind):
    merged = MergedCounts()
    merged.add("a", report(histograms={"delivery_delay": {bucket_of(round(1e6 * took_s)): 50}}))
    controller = SimpleNamespace(
        recorder=SimpleNamespace(samples=()),
        preflight=SimpleNamespace(agent=None, limits=()),
        profile=ADAPTER.validate_python(GUARDED),
        counts=merged,
        results=SimpleNamespace(connections_peak=10),
        target=SimpleNamespace(
            slo=Slo(delivery_delay=Objective(quantile=0.95, limit_s=0.1), request_latency=None)
        ),
        ending=None,
    )

    nearest, *_others = live_remarks.of_guards(controller)

    assert kind == nearest.kind
    assert re.match(r"slo: delivery delay p95 was .* \(SLO 100 ms\)", nearest.text)


TRIP = {"guard": "slo", "statement": "delivery delay p95 was 300 ms (SLO 100 ms)"}


@pytest.mark.parametrize(
    ("exit_code", "events", "kind", "said"),
    [
        (12, [("phase", {}), ("guard", TRIP)], "bad", f"slo: {TRIP['statement']}"),
        (12, [("phase", {})], "bad", "a guard took the load off"),
        (0, [("phase", {})], "ok", "no guard took the load off"),
    ],
)
def test_after_the_end_it_is_told_which_guard_took_the_load_off(exit_code, events, kind, said):
    controller = SimpleNamespace(
        recorder=SimpleNamespace(
            samples=(), events=[RunEvent(at=0.0, kind=kind, detail=told) for kind, told in events]
        ),
        preflight=SimpleNamespace(agent=None),
        profile=ADAPTER.validate_python(GUARDED),
        ending=("aborted", {}),
        exit_code=exit_code,
    )

    [remark] = live_remarks.of_guards(controller)

    assert kind == remark.kind
    assert remark.text.startswith(said)
