"""Why a ramp did not reach its load, and whose doing it was."""

import pytest

from capacity.domain.observation import CutOffKind
from capacity.loadgen.master.steps.step_results import StepResults
from capacity.workload.profiles.profile import Mix, Pace, Phase, Position, ramp_steps

MIX = Mix(subscriptions_per_connection=1, requests_per_s_per_connection=0.0, poll_interval_s=1.0)
PACE = Pace(connects_per_s=10.0, ramp_timeout_s=10.0, settle_s=1.0, plateau_s=4.0)
STEP = ramp_steps(levels=[10], mix=MIX, pace=PACE)[1]


def test_a_ramp_in_which_the_target_breaks_the_protocol_reached_no_limit(made, pool, report):
    made.results._peaks[0] = 4
    ramp = made.results.merged(0, Phase.RAMP)
    for worker, invalid in (("a", 45), ("b", 40)):
        failures = {"frame_invalid": invalid}
        ramp.add(worker, report(failures=failures, connects=invalid + 2, is_final=True))
    cut_off = made.results.unreached(STEP)

    assert CutOffKind.LOST == cut_off.kind
    assert "85 connections of 89 that were opened were lost, most by frame_invalid (85" in (
        cut_off.statement
    )


@pytest.mark.parametrize(
    ("failures", "deliveries", "kind", "said"),
    [
        ({"handshake_rejected_503": 4}, 0, CutOffKind.NOT_REACHED, "handshake_rejected_503"),
        ({"handshake_rejected_429": 4}, 0, CutOffKind.NOT_REACHED, "source_addresses"),
        ({"connect_timeout": 4}, 9, CutOffKind.NOT_REACHED, "connect_timeout"),
        ({"connect_timeout": 4}, 0, CutOffKind.SILENT, "4 connect attempts timed out"),
        ({}, 0, CutOffKind.SILENT, "10 s: 1 connect attempt had no answer yet while 5 were"),
    ],
)
def test_a_target_that_is_full_is_told_from_one_that_hangs(
    pool, report, written, failures, deliveries, kind, said
):
    results = StepResults(pool, written)
    results.begin(Position(index=0, phase=Phase.RAMP, since_s=0.0))
    results._peaks[0] = 5
    for worker in sorted(pool.ids):
        results.merged(0, Phase.RAMP).add(
            worker,
            report(
                failures={reason: count // 2 for reason, count in failures.items()},
                deliveries=deliveries,
                seconds=1.0,
                is_final=True,
            ),
        )
    cut_off = results.unreached(STEP)

    assert (kind, 5) == (cut_off.kind, cut_off.connections)
    assert said in cut_off.statement


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"silent_s": 3.1}, "a worker has not been heard for 3.1 s"),
        ({"opening": 0}, "nobody tried to connect any more"),
    ],
)
def test_a_ramp_that_the_generator_did_not_finish_is_not_the_targets_doing(
    made, pool, report, monkeypatch, trouble, said
):
    monkeypatch.setattr(pool, "longest_silence_s", lambda: trouble.get("silent_s", 3.0))
    pool.opening = trouble.get("opening", 1)
    for worker in ("a", "b"):
        made.results.merged(0, Phase.RAMP).add(worker, report(is_final=True))
    cut_off = made.results.unreached(STEP)

    assert (CutOffKind.STOPPED, f"the generator did not open them: {said}") == (
        cut_off.kind,
        cut_off.statement,
    )


@pytest.fixture
def ramp_of(pool, report, written):
    """Return what a ramp that timed out came to, by the reports of one of two workers."""

    def cut_off(*reports):
        results = StepResults(pool, written)
        results.begin(Position(index=0, phase=Phase.RAMP, since_s=0.0))
        results._peaks[0] = 5
        ramp = results.merged(0, Phase.RAMP)
        ramp.add("b", report(is_final=True))
        for number, changes in enumerate(reports, start=1):
            ramp.add("a", report(is_final=number == len(reports), **changes))
        return results.unreached(STEP)

    return cut_off


@pytest.mark.parametrize(
    ("timeouts", "refusals", "kind"),
    [(4, 4, CutOffKind.SILENT), (3, 4, CutOffKind.NOT_REACHED), (0, 4, CutOffKind.NOT_REACHED)],
)
def test_a_target_hangs_where_half_of_the_attempts_had_no_answer(ramp_of, timeouts, refusals, kind):
    failures = {"connect_timeout": timeouts, "handshake_rejected_503": refusals}

    assert kind is ramp_of({"failures": failures}).kind


@pytest.mark.parametrize(
    ("deliveries", "kind"),
    [
        ((9, 0, 0), CutOffKind.SILENT),
        ((0, 9, 0), CutOffKind.NOT_REACHED),
        ((0, 0, 9), CutOffKind.NOT_REACHED),
    ],
)
def test_a_target_serves_that_delivered_in_one_of_the_last_two_reports(ramp_of, deliveries, kind):
    failures = {"connect_timeout": 4}
    reports = [{"deliveries": count, "failures": failures} for count in deliveries]

    assert kind is ramp_of(*reports).kind


@pytest.mark.parametrize(
    ("answering", "kind"), [(1, CutOffKind.NOT_REACHED), (0, CutOffKind.SILENT)]
)
def test_a_target_that_answers_those_it_has_is_full_and_does_not_hang(ramp_of, answering, kind):
    """In an idle step nothing is delivered that could show it."""
    told = {"failures": {"connect_timeout": 4}, "answering": answering}
    found = ramp_of(told, {})

    assert kind is found.kind
    assert ("accepted no more" in found.statement) is (answering > 0)


@pytest.mark.parametrize(
    ("faults", "refusals", "connects", "kind"),
    [
        (50, 0, 100, CutOffKind.LOST),
        (49, 0, 100, CutOffKind.SILENT),
        (50, 50, 100, CutOffKind.LOST),
        (50, 51, 100, CutOffKind.NOT_REACHED),
        (0, 0, 0, CutOffKind.SILENT),
    ],
)
def test_half_of_the_connects_and_all_that_was_refused_make_a_broken_protocol_the_reason(
    ramp_of, faults, refusals, connects, kind
):
    failures = {"frame_invalid": faults, "handshake_rejected_503": refusals}
    told = {reason: count for reason, count in failures.items() if count}

    assert kind is ramp_of({"failures": told, "connects": connects}).kind


@pytest.mark.parametrize("trouble", [{"failures": {"x": 1}}, {"lost": 1}])
def test_who_failed_or_was_lost_had_tried(pool, ramp_of, trouble):
    pool.opening = 0

    assert CutOffKind.STOPPED is not ramp_of(trouble).kind
