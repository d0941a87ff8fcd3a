import math
from dataclasses import replace

import pytest

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.live import latest_use, live_rows
from capacity.planning.plan import plan


def rows_of(record, steps=None, samples=None, limits=None):
    found = live_rows(
        record.steps if steps is None else steps,
        record.samples if samples is None else samples,
        record.manifest.agent.limits if limits is None else limits,
    )
    return {row.resource: row for row in found}


def test_after_the_run_the_ceilings_are_those_of_the_plan(venue):
    record = venue.record()
    rows = rows_of(record)

    for wall in plan(record).ladder:
        assert rows[wall.resource].ceiling == pytest.approx(wall.ceiling.mid, rel=1e-9)
        assert rows[wall.resource].limit == wall.limit.value
        assert rows[wall.resource].reason is None


def test_the_lowest_ceiling_comes_first(venue):
    record = venue.record()
    found = live_rows(record.steps, record.samples, record.manifest.agent.limits)

    assert found[0].resource is Resource.DESCRIPTORS


def test_use_is_the_latest_reading(venue):
    record = venue.record()

    assert rows_of(record)[Resource.MEMORY].used == record.samples[-1].used[Resource.MEMORY]


def test_before_the_second_level_the_reason_says_what_is_awaited(venue):
    record = venue.record()
    row = rows_of(record, steps=record.steps[:1], samples=record.samples[:15])[Resource.MEMORY]

    assert row.used is not None
    assert (row.cost_per_connection, row.ceiling) == (None, None)
    assert row.reason == "needs plateaus at 2 connection levels, 1 so far"


def test_without_a_limit_the_cost_is_still_shown(venue):
    unknown = Limit(
        resource=Resource.MEMORY,
        state=LimitState.UNKNOWN,
        value=None,
        scope="cgroup",
        source="/planted",
        reason="denied",
    )
    row = rows_of(venue.record(), limits=[unknown])[Resource.MEMORY]

    assert row.cost_per_connection == pytest.approx(65e3, rel=0.02)
    assert row.ceiling is None
    assert row.reason == "limit unknown: denied"


@pytest.mark.parametrize("count", [0, 1, 5, 20, 40])
def test_any_beginning_of_a_run_gives_rows_without_made_up_numbers(venue, count):
    record = venue.record()
    spoiled = [
        replace(sample, used={Resource.MEMORY: math.nan}) if sample.seq % 2 else sample
        for sample in record.samples[:count]
    ]
    for steps in range(len(record.steps)):
        for row in rows_of(record, record.steps[:steps], spoiled).values():
            numbers = (row.used, row.limit, row.cost_per_connection, row.ceiling)

            assert all(number is None or math.isfinite(number) for number in numbers)
            assert row.ceiling is not None or row.reason


def test_a_reading_of_the_last_ten_samples_is_of_now(venue):
    like = venue.record().samples[-1]

    def used(resource, use):
        return replace(like, used={resource: use})

    samples = [used(Resource.CPU, 1.0), used(Resource.MEMORY, 2.0)]
    samples += [used(Resource.THREADS, float(n)) for n in range(9)]

    assert latest_use(samples) == {Resource.MEMORY: 2.0, Resource.THREADS: 8.0}


def test_a_use_that_falls_has_no_cost_so_far(venue, cost):
    falling = replace(
        venue,
        costs={Resource.MEMORY: cost(baseline=60e6, connection=-1e3)},
        limits={Resource.MEMORY: 256e6},
    )
    row = rows_of(falling.record())[Resource.MEMORY]

    assert (row.cost_per_connection, row.ceiling) == (None, None)
    assert row.reason == "no measurable cost per connection so far"
    assert (
        rows_of(falling.record(), limits=[])[Resource.MEMORY].reason == "no limit read or declared"
    )
