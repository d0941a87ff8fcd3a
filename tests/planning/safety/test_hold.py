from dataclasses import replace

import pytest

from capacity.domain.caveats import RISING_RATIO
from capacity.domain.resources import Resource
from capacity.planning.evidence.windows import HELD_LONGER_RATIO
from capacity.planning.safety.hold import HOLD_RATIO, MOST_HOLDS, is_settling

EACH = 60e3


@pytest.fixture(scope="module")
def record(venue, cost, safe):
    costs = {Resource.MEMORY: cost(baseline=40e6, connection=EACH)}
    return replace(venue, steps=safe(8.0, 5), costs=costs).record()


def rising_on(record, index, ratio):
    """Return the record with memory that rises on one plateau by a share of what connections took."""
    step = record.steps[index]
    begin, end = step.plateau_started_at, step.plateau_ended_at
    rise = ratio * EACH * step.step.connections

    def added(at):
        return rise * (at - begin) / (end - begin) if begin <= at <= end else 0.0

    return replace(
        record,
        samples=tuple(
            replace(sample, used={Resource.MEMORY: sample.used[Resource.MEMORY] + added(sample.at)})
            for sample in record.samples
        ),
    )


def top_of(record):
    mixes = [step for step in record.steps if step.step.is_mix]
    return max(mixes, key=lambda step: step.step.connections).index


@pytest.mark.parametrize(("factor", "is_held"), [(0.8, False), (1.4, True)])
def test_the_highest_mix_is_held_on_where_memory_rose_by_a_hundredth(record, factor, is_held):
    assert is_settling(rising_on(record, top_of(record), factor * RISING_RATIO)) is is_held


def test_what_rose_on_another_level_only_is_not_held_on(record):
    assert not is_settling(rising_on(record, 2, 0.5))


@pytest.mark.parametrize(
    ("changes", "is_held"),
    [
        ({}, True),
        ({"subscriptions_per_connection": 0}, False),
        ({"is_mix": True}, False),
        ({"connections": 20}, False),
    ],
)
def test_it_is_held_on_as_well_where_memory_rose_with_the_updates_before_the_requests(
    record, changes, is_held
):
    top = top_of(record)
    step = replace(record.steps[top].step, requests_per_s=0.0, is_mix=False)
    before = replace(record.steps[top - 1], step=replace(step, **changes))
    steps = (*record.steps[: top - 1], before, *record.steps[top:])

    assert is_settling(rising_on(replace(record, steps=steps), top - 1, 0.5)) is is_held


def test_of_several_plateaus_with_the_highest_mix_the_last_one_counts(record):
    top = record.steps[top_of(record)]
    index = len(record.steps)
    begin = record.steps[-1].plateau_ended_at + 1.0
    last = replace(
        top, index=index, started_at=begin, plateau_started_at=begin, plateau_ended_at=begin + 8.0
    )
    first = record.samples[-1]
    more = tuple(
        replace(first, seq=first.seq + n, at=begin + n, used=dict(first.used)) for n in range(9)
    )
    longer = replace(
        rising_on(record, top.index, 0.5),
        steps=(*record.steps, last),
        samples=(*rising_on(record, top.index, 0.5).samples, *more),
    )

    assert not is_settling(longer)


def test_without_readings_of_memory_or_a_mix_nothing_is_held_on(record):
    unread = tuple(replace(sample, used={}) for sample in record.samples)

    assert not is_settling(replace(record, samples=unread))
    assert not is_settling(replace(record, steps=record.steps[:1]))


def test_what_is_held_on_is_told_from_a_step_once_more():
    assert HOLD_RATIO >= HELD_LONGER_RATIO


def test_what_settles_has_nine_plateaus_for_it():
    assert (HOLD_RATIO, HOLD_RATIO * MOST_HOLDS) == (3.0, 9.0)
