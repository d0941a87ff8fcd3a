import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.load import LoadVector
from capacity.domain.resources import Resource
from capacity.planning.costs.ramps import (
    _subscribed,
    excess_s,
    excesses_s,
    open_connections_at,
    ramps,
    smallest_backlog,
)

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


def test_the_excess_is_what_was_used_above_the_line_of_those_open_in_the_middle():
    """Half of 100 connections are open in the middle of the sample, with half of what comes along."""
    ramp = ramps(RECORD)[1]
    load = LoadVector(
        connections=100.0,
        deliveries_per_s=200.0,
        delivered_bytes_per_s=0.0,
        requests_per_s=10.0,
        handshakes_per_s=0.0,
    )
    read = replace(
        ramp.samples[0], at=20.0 + OFFSET_S, interval_s=4.0, used={Resource.EVENT_LOOP: 0.5}
    )
    ramp = replace(ramp, step=replace(ramp.step, load=load), samples=(read,))
    points = [EXAMPLE["point"](RECORD.steps[0], at, n) for at, n in ((16.0, 40), (20.0, 60))]
    line = 0.02 + 2e-6 * 50 + 1.2e-5 * 100 + 2e-4 * 5

    assert excess_s(ramp, points, LOOP, OFFSET_S) == pytest.approx(4.0 * (0.5 - line))
    twice = replace(ramp, samples=(read, replace(read, used={}), read))
    assert excess_s(twice, points, LOOP, OFFSET_S) == pytest.approx(8.0 * (0.5 - line))


def test_every_ramp_that_was_read_has_its_excess():
    found = excesses_s(RECORD, LOOP)
    damaged = replace(RECORD.points[0], at=float("nan"), open_connections=10**9)

    assert [ramp.step.index for ramp, _ in found] == list(range(1, 9))
    assert [taken_s for _, taken_s in found] == pytest.approx(
        [0.0008 * ramp.opened + 0.0002 * ramp.subscribed for ramp, _ in found], rel=0.02
    )
    assert excesses_s(replace(RECORD, points=(damaged, *RECORD.points)), LOOP) == found
    assert excesses_s(RECORD, replace(LOOP, resource=Resource.CPU)) == []


def test_samples_of_a_ramp_reach_into_it_or_into_the_second_behind_it():
    ramp = ramps(RECORD)[0]
    like = ramp.samples[0]
    ends = {0.0: False, 0.1: True, 8.0: True, 9.9: True, 10.0: False}
    samples = tuple(
        replace(like, at=ramp.began_at + OFFSET_S + end, interval_s=1.0) for end in ends
    )
    found = ramps(replace(RECORD, samples=samples))[0]

    assert found.ended_at - found.began_at == 8.0
    assert [sample in found.samples for sample in samples] == list(ends.values())


@pytest.mark.parametrize(
    ("asked", "before", "subscribed"), [(2, None, 50), (2, 0, 50), (2, 2, 30), (0, 2, 0)]
)
def test_who_subscribes_is_everybody_at_first_and_then_who_is_new(asked, before, subscribed):
    like = RECORD.steps[1]
    step = replace(
        like,
        connects=30,
        step=replace(like.step, connections=50, subscriptions_per_connection=asked),
    )
    earlier = None if before is None else replace(like.step, subscriptions_per_connection=before)

    assert _subscribed(step, earlier) == subscribed


def test_a_ramp_of_no_time_is_no_faster_than_a_millisecond():
    ramp = ramps(RECORD)[0]

    assert replace(ramp, ended_at=ramp.began_at).opened_per_s == 1_246_000.0


def test_two_limits_of_the_queue_are_read_by_the_smaller_and_none_is_none():
    like = RECORD.samples[0]
    read = [
        replace(like, gauges=gauges)
        for gauges in ({"accept_queue_limit": 9.0}, {}, {"accept_queue_limit": 4.0})
    ]

    assert smallest_backlog(read) == 4.0


def test_steps_that_are_not_known_and_other_phases_have_no_ramp():
    strange = [
        replace(event, detail={**event.detail, "index": 99}) if event.kind == "phase" else event
        for event in RECORD.events
    ]
    unnamed = [replace(event, detail={"phase": "ramp"}) for event in RECORD.events]
    still = tuple(replace(step, connects=0) for step in RECORD.steps)

    assert ramps(replace(RECORD, events=tuple(strange))) == []
    assert ramps(replace(RECORD, events=tuple(unnamed))) == []
    assert ramps(replace(RECORD, samples=())) == []
    assert [ramp.step.index for ramp in ramps(replace(RECORD, steps=still))] == [2, 4, 6, 8]
