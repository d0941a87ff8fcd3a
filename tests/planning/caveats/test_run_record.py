from dataclasses import replace

import numpy as np
import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.resources import MAY_ADMIT_MORE, Limit, LimitState, Resource
from capacity.domain.run import ClockOffset, RunEvent
from capacity.planning.caveats.generator import generator_verdict
from capacity.planning.caveats.run_record import record_doubts


@pytest.fixture(scope="module")
def record(venue):
    return venue.record()


OWN_CAP = Limit(
    resource=Resource.APPLICATION_CONNECTIONS,
    state=LimitState.KNOWN,
    value=4000.0,
    scope="declared",
    source="maxconn",
)


def doubts_of(record, limits=(), declared=(OWN_CAP,)):
    return record_doubts(record, generator_verdict(record.steps), [*limits, *declared])


def with_steps(record, **changes):
    return replace(record, steps=tuple(replace(step, **changes) for step in record.steps))


def with_manifest(record, **changes):
    return replace(record, manifest=replace(record.manifest, **changes))


def test_a_clean_record_has_no_doubts(record):

    assert doubts_of(record) == []


def test_a_cap_of_the_application_that_nobody_declared_may_bind_unseen(record):
    [doubt] = doubts_of(record, declared=())

    assert doubt.kind is DoubtKind.OWN_CAP
    assert "limits.application_connections" in doubt.remedy


@pytest.mark.parametrize(
    ("change", "kind", "number"),
    [
        (lambda r: with_steps(r, lost=2), DoubtKind.LOST_CONNECTIONS, "18 connections"),
        (
            lambda r: with_steps(r, expired=2, lifetime_s=8.03),
            DoubtKind.BOUNDED_LIFETIME,
            "ended 18 connections when they were 8.03 s old",
        ),
        (
            lambda r: with_steps(r, failures={"subscribe_rejected": 2}),
            DoubtKind.REFUSED_SUBSCRIPTIONS,
            "refused 18 subscriptions",
        ),
        (
            lambda r: with_steps(r, failures={"subscribe_unconfirmed": 1}),
            DoubtKind.REFUSED_SUBSCRIPTIONS,
            "left 9 subscriptions without an answer",
        ),
        (lambda r: with_steps(r, unmatched=3), DoubtKind.UNMATCHED_FRAMES, "27 received"),
        (
            lambda r: replace(r, steps=r.steps[:3]),
            DoubtKind.FEW_STEPS,
            "Only 3 steps are usable; a reliable fit needs 4.",
        ),
        (
            lambda r: replace(r, missing=("no end",)),
            DoubtKind.RUN_INCOMPLETE,
            "incomplete: no end",
        ),
        (lambda r: with_manifest(r, same_host=True), DoubtKind.SHARED_HOST, "share a host"),
        (lambda r: replace(r, samples=r.samples[::2]), DoubtKind.SAMPLES_MISSING, "%"),
        (
            lambda r: with_manifest(r, clock_offset=ClockOffset(offset_s=0.0, error_s=0.3)),
            DoubtKind.CLOCK_OFFSET,
            "±300 ms",
        ),
        (lambda r: with_manifest(r, clock_offset=None), DoubtKind.CLOCK_OFFSET, "not measured"),
        (
            lambda r: replace(
                r, steps=(*r.steps[:-1], replace(r.steps[-1], void="40 ms late")), samples=r.samples
            ),
            DoubtKind.VOID_STEPS,
            "step 9 (40 ms late)",
        ),
        (
            lambda r: with_steps(r, generator=replace(r.steps[0].generator, cpu_ratio=0.9)),
            DoubtKind.GENERATOR_NEAR_LIMIT,
            "90 % CPU",
        ),
    ],
)
def test_each_trouble_raises_its_doubt_with_its_number(record, change, kind, number):
    found = doubts_of(change(record))

    assert [doubt.kind for doubt in found] == [kind]
    assert number in found[0].statement
    assert found[0].remedy.endswith(".")


def test_a_restart_is_counted(venue):
    found = doubts_of(replace(venue, restarts_at=(3, 6)).record())

    assert [doubt.kind for doubt in found] == [DoubtKind.TARGET_RESTARTED]
    assert "2 times" in found[0].statement


def test_a_shared_host_names_what_is_read_for_the_whole_host(record):
    (doubt,) = doubts_of(with_manifest(record, same_host=True))

    for name in ("system file table", "kernel memory for TCP", "memory of the host"):
        assert name in doubt.statement


def test_one_is_not_many(record):
    first = replace(record.steps[0], lost=1, unmatched=1)
    found = doubts_of(replace(record, steps=(first, *record.steps[1:])))

    assert ["dropped 1 connection ", "1 received frame "] == [
        words
        for doubt, words in zip(found, ["dropped 1 connection ", "1 received frame "], strict=True)
        if words in doubt.statement
    ]


def test_a_limit_that_could_not_be_read_is_named_with_its_reason(record):
    unknown = Limit(
        resource=Resource.NETWORK_OUT,
        state=LimitState.UNKNOWN,
        value=None,
        scope="host",
        source="/sys/class/net/lo/speed",
        reason="a virtual interface has no speed",
    )
    found = doubts_of(record, [unknown])

    assert [doubt.kind for doubt in found] == [DoubtKind.UNKNOWN_LIMIT]
    assert "a virtual interface has no speed" in found[0].statement


def test_a_cap_that_the_version_may_not_apply_is_doubted_with_its_place(record):
    cap = Limit(
        resource=Resource.APPLICATION_CONNECTIONS,
        state=LimitState.KNOWN,
        value=700.0,
        scope="application",
        source=f"/etc/m.conf:8: max_connections 700, which some do not apply: {MAY_ADMIT_MORE}",
    )
    [doubt] = doubts_of(record, [cap])

    assert doubt.kind is DoubtKind.UNKNOWN_LIMIT
    assert cap.source in doubt.statement
    assert doubts_of(record, [replace(cap, source="/etc/m.conf:8")]) == []


@pytest.mark.parametrize(
    ("kind", "is_doubted"), [(CutOffKind.REFUSED, False), (CutOffKind.STOPPED, True)]
)
def test_a_run_that_its_target_ended_is_not_asked_to_be_measured_to_the_end(
    record, kind, is_doubted
):
    cut_off = CutOff(kind=kind, statement="as planted", connections=1)
    steps = (*record.steps[:-1], replace(record.steps[-1], cut_off=cut_off))
    ended = replace(
        record, steps=steps, missing=("the end: the run was aborted (a guard took the load off)",)
    )

    assert is_doubted == (DoubtKind.RUN_INCOMPLETE in {each.kind for each in doubts_of(ended)})


@pytest.mark.parametrize(("seen", "statement"), [(9, None), (8, "1 of 9 plateaus"), (7, "2 of 9")])
def test_plateaus_of_hardly_more_than_an_interval_without_a_sample_are_told(
    record, seen, statement
):
    steps = tuple(
        replace(step, plateau_ended_at=step.plateau_started_at + 1.5) for step in record.steps
    )
    lost_at = steps[seen].started_at if seen < len(steps) else float("inf")
    samples = tuple(sample for sample in record.samples if sample.at < lost_at)
    found = doubts_of(replace(record, steps=steps, samples=samples))

    assert [doubt.statement.partition(" ha")[0][: len(statement or "")] for doubt in found] == (
        [] if statement is None else [statement]
    )


def test_a_plateau_shorter_than_an_interval_need_not_have_a_sample(record):
    steps = tuple(
        replace(step, plateau_ended_at=step.plateau_started_at + 0.9) for step in record.steps
    )

    assert doubts_of(replace(record, steps=steps, samples=record.samples[:1])) == []


@pytest.mark.parametrize(("interval_s", "is_doubted"), [(0.0009, False), (0.0011, True)])
def test_an_interval_below_a_millisecond_is_none_that_samples_are_due_by(
    record, interval_s, is_doubted
):
    samples = tuple(replace(sample, interval_s=interval_s) for sample in record.samples)

    assert is_doubted == bool(doubts_of(replace(record, samples=samples)))


@pytest.mark.parametrize(("kept", "is_doubted"), [(90, False), (89, True)])
def test_a_tenth_of_the_samples_due_may_be_missing(record, kept, is_doubted):
    """Nine plateaus of twelve intervals are due eleven samples each."""
    on_plateaus = [
        sample.seq
        for sample in record.samples
        if any(s.plateau_started_at <= sample.at <= s.plateau_ended_at for s in record.steps)
    ]
    left = set(np.random.default_rng(1).choice(on_plateaus, kept, replace=False).tolist())
    thinned = replace(record, samples=tuple(each for each in record.samples if each.seq in left))

    assert is_doubted == bool(doubts_of(thinned))


@pytest.mark.parametrize(("count", "is_doubted"), [(4, False), (3, True)])
def test_four_steps_are_enough(record, count, is_doubted):
    assert is_doubted == bool(doubts_of(replace(record, steps=record.steps[:count])))


@pytest.mark.parametrize(("error_s", "is_doubted"), [(0.25, False), (0.2501, True)])
def test_a_clock_may_be_uncertain_by_a_quarter_of_a_second(record, error_s, is_doubted):
    offset = ClockOffset(offset_s=-3.0, error_s=error_s)
    shifted = replace(
        record, samples=tuple(replace(each, at=each.at - 3.0) for each in record.samples)
    )

    assert is_doubted == bool(doubts_of(with_manifest(shifted, clock_offset=offset)))


def test_connections_that_were_ended_without_an_age_have_no_bound_of_one(record):
    assert doubts_of(with_steps(record, expired=2, lifetime_s=None)) == []
    assert doubts_of(with_steps(record, expired=None, lifetime_s=8.0)) == []


def test_the_age_is_the_median_one_and_the_targets_words_go_with_it(record):
    ages_s = dict(enumerate((8.0, 8.0, 9.0), start=1))
    steps = [replace(step, expired=1, lifetime_s=ages_s.get(step.index)) for step in record.steps]
    texts = ("503 busy", "closed with 1001 " + "x" * 300, 7)
    events = [RunEvent(at=1.0, kind="target_said", detail={"text": text}) for text in texts]
    other = RunEvent(at=1.0, kind="other", detail={"text": "closed elsewhere"})
    [doubt] = doubts_of(replace(record, steps=tuple(steps), events=(other, *events)))

    assert "ended 9 connections when they were 8 s old" in doubt.statement
    assert (
        doubt.statement.split("(")[1].split(")")[0] == ("closed with 1001 " + "x" * 300)[:159] + "…"
    )


@pytest.mark.parametrize(
    ("missing", "is_doubted"),
    [
        ("2 of 11 steps", False),
        ("2 of 12 steps", False),
        ("3 of 11 steps", True),
        ("a sample", True),
    ],
)
def test_steps_that_are_missing_because_one_was_cut_off_are_explained(record, missing, is_doubted):
    cut_off = CutOff(kind=CutOffKind.REFUSED, statement="as planted", connections=1)
    steps = (*record.steps[:-1], replace(record.steps[-1], cut_off=cut_off))
    planned = replace(record.manifest, steps=(*record.manifest.steps, *record.manifest.steps[:2]))
    short = replace(record, steps=steps, manifest=planned, missing=(missing,))

    assert is_doubted == (DoubtKind.RUN_INCOMPLETE in {each.kind for each in doubts_of(short)})


def test_a_cap_that_is_declared_among_other_limits_is_known(record):
    other = replace(OWN_CAP, resource=Resource.DESCRIPTORS)

    assert doubts_of(record, limits=(other,)) == []
    assert [DoubtKind.OWN_CAP] == [each.kind for each in doubts_of(record, (other,), ())]


def test_each_void_step_is_named_with_its_reason(record):
    steps = [replace(step, void="late" if step.index in {0, 4} else None) for step in record.steps]
    [doubt] = doubts_of(replace(record, steps=tuple(steps)))

    assert "2 of 9 steps are void and excluded: step 1 (late), step 5 (late)." == doubt.statement


def test_a_generator_near_its_limits_is_told_with_both_readings(record):
    near = with_steps(record, generator=replace(record.steps[0].generator, lag_p95_s=0.02))
    [doubt] = doubts_of(near)

    assert "lag p95 20 ms (threshold 10 ms), busiest worker at 30 % CPU" in doubt.statement
