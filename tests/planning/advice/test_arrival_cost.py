import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.answers.sizing import Unanswered
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.domain.target import TargetSpec
from capacity.models.operations.arrival_memory import ArrivalMemory
from capacity.planning.advice.arrival_cost import _at_once, _cost, arrival_cost

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_demand.py")))
PLAN = EXAMPLE["make_plan"]()
LAW_TESTS = Path(__file__).parents[2] / "models" / "operations" / "test_arrival_memory.py"


def test_the_planted_cost_of_opening_and_subscribing_is_found():
    found = arrival_cost(EXAMPLE["make_ramped_record"](0.0008, 0.0002), PLAN)

    assert found.cpu_s[Resource.EVENT_LOOP].mid == pytest.approx(0.001, rel=0.03)
    assert found.cpu_s[Resource.EVENT_LOOP].high >= 0.00098
    assert list(found.cpu_s) == [Resource.EVENT_LOOP]
    assert (found.ramps, found.arrivals, found.backlog) == (4, 4_987, 512.0)
    assert found.tested_per_s == pytest.approx(1_247 / EXAMPLE["RAMP_S"])


def test_a_declared_rate_of_admission_goes_with_the_cost():
    record = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
    target = TargetSpec(arrival_limit_per_s=50.0)
    declared = replace(record, manifest=replace(record.manifest, target=target))

    assert arrival_cost(record, PLAN).admitted_per_s is None
    assert arrival_cost(declared, PLAN).admitted_per_s == 50.0


def test_memory_that_arrivals_take_for_a_while_says_how_many_may_come_at_once():
    """A client takes 500 kB for 2.25 s while it connects, and keeps 4 kB."""
    record = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
    law = runpy.run_path(str(LAW_TESTS))
    times, use, points, counts = law["measured"]()
    began = max(sample.at for sample in record.samples) + 60.0
    off_s = record.manifest.clock_offset.offset_s
    apart = [
        replace(sample, used={k: v for k, v in sample.used.items() if k is not Resource.MEMORY})
        for sample in record.samples
    ]
    like, point = record.samples[-1], record.points[-1]
    read = [
        replace(like, at=began + at + off_s, seq=like.seq + n, used={Resource.MEMORY: taken})
        for n, (at, taken) in enumerate(zip(times, use, strict=True), start=1)
    ]
    placed = [replace(each, open_connections=0) for each in record.points] + [
        replace(point, at=began + at, open_connections=int(count))
        for at, count in zip(points, counts, strict=True)
    ]
    found = arrival_cost(replace(record, samples=(*apart, *read), points=tuple(placed)), PLAN)
    wall = next(wall for wall in PLAN.ladder if wall.resource is Resource.MEMORY)
    room = wall.limit.value - wall.used_at_baseline

    assert found.memory_bytes.low <= law["EACH"] <= found.memory_bytes.high
    assert found.memory_held_s == pytest.approx(2.25, rel=0.1)
    assert found.at_once.low <= room / (law["EACH"] + law["KEPT"]) <= found.at_once.high
    assert arrival_cost(record, PLAN).memory_bytes is None


def test_ramps_that_failed_do_not_say_how_fast_is_fast_enough():
    record = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
    steps = tuple(replace(step, failures={"connect_timeout": 3}) for step in record.steps)

    assert arrival_cost(replace(record, steps=steps), PLAN).tested_per_s == 0.0


def test_arrivals_that_cost_nothing_are_not_told_to_cost_something():
    found = arrival_cost(EXAMPLE["make_ramped_record"](-0.0008, 0.0), PLAN)

    assert isinstance(found, Unanswered)
    assert "4 ramps with 4,987 connects" in found.reason
    assert "connects_per_s" in found.remedy


def test_too_few_ramps_are_told_with_their_number():
    found = arrival_cost(EXAMPLE["EXAMPLE"]["make_record"](), PLAN)

    assert isinstance(found, Unanswered)
    assert found.reason.startswith("0 connections opened in 0 ramps")


def test_a_target_that_restarted_has_another_line():
    record = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
    later = replace(record.samples[-1], target_started_at=record.samples[-1].at)
    found = arrival_cost(replace(record, samples=(*record.samples[:-1], later)), PLAN)

    assert isinstance(found, Unanswered)
    assert "restarted 1 time" in found.reason


@pytest.mark.parametrize(("ramps", "is_enough"), [(3, True), (2, False)])
def test_three_ramps_in_which_connections_opened_are_enough(ramps, is_enough):
    record = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
    opening = [step.index for step in record.steps if step.connects][-ramps:]
    steps = tuple(
        step if step.index in opening or not step.connects else replace(step, connects=0)
        for step in record.steps
    )
    found = arrival_cost(replace(record, steps=steps), PLAN)

    assert is_enough == (not isinstance(found, Unanswered))


@pytest.mark.parametrize(("total", "is_enough"), [(50, True), (49, False)])
def test_fifty_connections_are_enough(total, is_enough):
    record = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
    opened = iter((10, 10, 10, total - 30))
    steps = tuple(
        replace(step, connects=next(opened)) if step.connects else step for step in record.steps
    )
    found = arrival_cost(replace(record, steps=steps), PLAN)

    assert is_enough == (not isinstance(found, Unanswered))
    assert is_enough or "49 connections opened in 4 ramps" in found.reason


def test_how_many_may_come_at_once_is_what_memory_has_to_spare_over_what_each_takes():
    wall = next(wall for wall in PLAN.ladder if wall.resource is Resource.MEMORY)
    memory = ArrivalMemory(
        each_bytes=Estimate(low=90.0, mid=190.0, high=390.0, confidence=0.9),
        held_s=1.0,
        kept_bytes=10.0,
    )

    def at_once(limit, used=1000.0):
        moved = replace(wall, limit=replace(wall.limit, value=limit), used_at_baseline=used)
        return _at_once(replace(PLAN, ladder=(moved,)), memory)

    found = at_once(5000.0)
    assert (found.low, found.mid, found.high, found.confidence) == (10.0, 20.0, 40.0, 0.9)
    assert at_once(500.0).high == 0.0
    assert at_once(None) is None
    assert _at_once(replace(PLAN, ladder=()), memory) is None


def test_a_cost_that_may_be_nothing_at_its_upper_end_is_none():
    record = EXAMPLE["make_ramped_record"](-1e-9, 0.0)

    assert _cost(record, PLAN, Resource.EVENT_LOOP) is None
    assert _cost(EXAMPLE["make_ramped_record"](1e-4, 0.0), PLAN, Resource.EVENT_LOOP) is not None
