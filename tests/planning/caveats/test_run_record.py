from dataclasses import replace

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.run import ClockOffset
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
            "8 (40 ms late)",
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
def test_plateaus_of_hardly_more_than_a_beat_without_a_sample_are_told(record, seen, statement):
    steps = tuple(
        replace(step, plateau_ended_at=step.plateau_started_at + 1.5) for step in record.steps
    )
    lost_at = steps[seen].started_at if seen < len(steps) else float("inf")
    samples = tuple(sample for sample in record.samples if sample.at < lost_at)
    found = doubts_of(replace(record, steps=steps, samples=samples))

    assert [doubt.statement.partition(" ha")[0][: len(statement or "")] for doubt in found] == (
        [] if statement is None else [statement]
    )


def test_a_plateau_shorter_than_a_beat_need_not_have_a_sample(record):
    steps = tuple(
        replace(step, plateau_ended_at=step.plateau_started_at + 0.9) for step in record.steps
    )

    assert doubts_of(replace(record, steps=steps, samples=record.samples[:1])) == []
