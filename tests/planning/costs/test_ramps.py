import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.resources import Resource
from capacity.planning.costs.ramps import excess_s, open_connections_at, ramps, smallest_backlog

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "advice" / "example_demand.py"))
RECORD = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
OFFSET_S = EXAMPLE["EXAMPLE"]["OFFSET_S"]
LOOP = next(
    wall.cost for wall in EXAMPLE["make_plan"]().ladder if wall.resource is Resource.EVENT_LOOP
)


def test_every_ramp_knows_whom_it_opened_and_who_subscribed():
    # Levels of a quarter of 4,987, each idle first: opened, then subscribed.
    assert [(ramp.step.index, ramp.opened, ramp.subscribed) for ramp in ramps(RECORD)] == [
        (1, 1_246, 0),
        (2, 0, 1_246),
        (3, 1_247, 0),
        (4, 0, 2_493),
        (5, 1_247, 0),
        (6, 0, 3_740),
        (7, 1_247, 0),
        (8, 0, 4_987),
    ]


def test_what_was_planted_above_the_line_is_found():
    found = [excess_s(ramp, RECORD.points, LOOP, OFFSET_S) for ramp in ramps(RECORD)]
    planted = [0.0008 * ramp.opened + 0.0002 * ramp.subscribed for ramp in ramps(RECORD)]

    assert found == pytest.approx(planted, rel=0.02)


def test_an_unread_resource_has_no_excess():
    blind = replace(RECORD, samples=tuple(replace(s, used={}) for s in RECORD.samples))

    assert excess_s(ramps(blind)[0], blind.points, LOOP, OFFSET_S) is None


def test_an_impossible_reading_is_no_reading():
    first = ramps(RECORD)[0]
    broken = replace(first.samples[0], used={Resource.EVENT_LOOP: float("nan")})
    endless = replace(first.samples[0], interval_s=float("inf"))
    spoiled = replace(RECORD, samples=(*RECORD.samples, endless))

    assert excess_s(replace(first, samples=(broken,)), RECORD.points, LOOP, OFFSET_S) is None
    assert ramps(spoiled)[0].samples == first.samples


def test_void_steps_have_no_ramps():
    void = replace(RECORD, steps=tuple(replace(s, void="worker lost") for s in RECORD.steps))

    assert ramps(void) == []


def test_a_ramp_is_as_fast_as_its_arrivals():
    first = ramps(RECORD)[0]

    assert first.opened_per_s == pytest.approx(1_246 / EXAMPLE["RAMP_S"])
    assert first.is_clean
    assert not replace(first, step=replace(first.step, failures={"connect_refused": 1})).is_clean


def test_open_connections_lie_on_the_line_between_two_points():
    points = [EXAMPLE["point"](RECORD.steps[0], at, n) for at, n in ((10.0, 0), (20.0, 100))]

    assert [open_connections_at(points, at) for at in (5.0, 12.0, 20.0, 30.0)] == [0, 20, 100, 100]
    assert open_connections_at([], 1.0) == 0.0


def test_the_backlog_is_the_smallest_that_was_read():
    assert smallest_backlog(RECORD.samples) == 512.0
    assert smallest_backlog(()) is None


def test_what_comes_along_is_shared_by_the_connections_that_are_open():
    def excess(connections):
        ramp = ramps(RECORD)[-1]
        step = replace(ramp.step, load=replace(ramp.step.load, connections=connections))
        return excess_s(replace(ramp, step=step), RECORD.points, LOOP, OFFSET_S)

    # The fewer a load was meant for, the more of it each open connection brings; nobody brings none.
    assert excess(1.0) == pytest.approx(excess(1.001), rel=0.01)
    assert excess(1.0) < excess(2.0) < excess(0.0)
