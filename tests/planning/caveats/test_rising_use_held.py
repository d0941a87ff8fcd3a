"""Where use rises with time on every level, so that no number of connections is held."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.resources import Resource
from capacity.planning.caveats.rising_use import not_held
from capacity.planning.evidence.windows import plateau_windows
from capacity.planning.plan import plan

RISES = runpy.run_path(str(Path(__file__).with_name("rises.py")))
BASELINE = RISES["BASELINE"]
PER_CONNECTION = RISES["PER_CONNECTION"]
memory = RISES["memory"]
rising_with_time = RISES["rising_with_time"]
revisiting = RISES["revisiting"]


def test_where_memory_rises_with_time_on_every_level_no_number_of_connections_is_held(revisiting):
    excuse = plan(rising_with_time(revisiting.record(), 2000.0))

    assert isinstance(excuse, Excuse)
    assert "memory of the target rose while the connections stayed constant" in excuse.reason
    assert "No number of connections is held for long." in excuse.reason


def test_a_rise_that_takes_longer_than_ten_minutes_to_the_limit_leaves_a_capacity(revisiting):
    assert isinstance(plan(rising_with_time(revisiting.record(), 300.0)), CapacityPlan)


def test_a_rise_that_is_half_over_at_the_end_of_the_run_is_buffers_that_fill(revisiting):
    def answer(levels_off):
        return plan(rising_with_time(revisiting.record(), 2000.0, levels_off=levels_off))

    assert isinstance(answer(0.47), CapacityPlan)
    assert isinstance(answer(1.2 * 0.5), Excuse)


def test_what_lingers_for_a_minute_or_two_leaves_a_capacity(revisiting, cost):
    costs = {Resource.CONNTRACK: cost(baseline=4, connection=1.0)}
    made = replace(revisiting, costs=costs, limits={Resource.CONNTRACK: 1000.0}).record()

    assert isinstance(plan(rising_with_time(made, 0.02, resource=Resource.CONNTRACK)), CapacityPlan)


def test_without_a_level_once_more_buffers_may_fill_that_new_connections_brought(memory):
    assert isinstance(plan(rising_with_time(memory.record(), 2000.0)), CapacityPlan)


@pytest.fixture
def gap_of(memory):
    [wall] = plan(memory.record()).ladder

    def of(record, limit):
        windows = plateau_windows(record.steps, record.samples, 0.0)
        return not_held(record, windows, replace(wall, limit=replace(wall.limit, value=limit)))

    return of


def test_the_limit_has_to_be_reached_within_ten_minutes(revisiting, gap_of, cost):
    """At 300 bytes a second and connection the highest level reaches its limit in so many seconds."""
    still = {Resource.MEMORY: cost(baseline=BASELINE, connection=PER_CONNECTION)}
    made = replace(revisiting, costs=still)
    record = rising_with_time(made.record(), 300.0)
    top = max(record.steps, key=lambda step: (step.step.connections, step.load.deliveries_per_s))
    last = [each for each in record.samples if each.at <= top.plateau_ended_at][-1]
    used, per_s = last.used[Resource.MEMORY], 300.0 * top.step.connections
    near, far = (gap_of(record, used + seconds * per_s) for seconds in (590.0, 610.0))

    assert "after 9 min 50 s" in near.reason
    assert far is None
    assert gap_of(record, None) is None
    assert gap_of(record, 0.5 * used).reason.count("after 0 s") == 1


@pytest.mark.parametrize(("levels", "is_told"), [(2, False), (3, True)])
def test_it_has_to_rise_on_three_levels(venue, cost, ramp, gap_of, levels, is_told):
    counts = [80, 160, 240][:levels]
    made = replace(
        venue,
        steps=ramp(*counts, counts[0]),
        costs={Resource.MEMORY: cost(baseline=BASELINE, connection=PER_CONNECTION)},
        limits={Resource.MEMORY: 1e9},
    )
    record = rising_with_time(made.record(), 2000.0)

    assert is_told == (gap_of(record, 90e6) is not None)
