import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.caveats import NEAR_LAG_S
from capacity.domain.observation import GeneratorHealth, Quantiles
from capacity.domain.resources import Resource
from capacity.domain.run import RunEvent
from capacity.planning.costs.admission import (
    _is_busy,
    _rates_per_s,
    admission_per_s,
)
from capacity.planning.costs.ramps import ramps

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "advice" / "example_demand.py"))
PLAN = EXAMPLE["make_plan"]()
RATES = (30, 40, 50, 57, 28, 35, 45, 57, 29, 40, 50, 56)
"""Of the seconds of a ramp, as a target shows them that takes 57 connections a second."""
QUICK = Quantiles(count=100, p50_s=0.02, p95_s=0.02, p99_s=0.02, max_s=0.02)


@pytest.fixture
def ramped():
    """Return a record whose last ramp had such rates, was meant to last so long, and waited so."""

    def with_ramp(rates=RATES, meant_per_s=1e9, slowest_s=0.11, used_ratio=0.1):
        record = EXAMPLE["make_ramped_record"](0.0, 0.0)
        top = next(step for step in record.steps if step.index == 7)
        begin = next(
            event.at
            for event in record.events
            if event.detail.get("phase") == "ramp" and event.detail["index"] == 7
        )
        before = top.step.connections - sum(rates)
        like = record.points[0]
        points = [
            replace(like, at=begin + n, index=7, open_connections=before + sum(rates[:n]))
            for n in range(len(rates) + 1)
        ]
        ended_at = begin + len(rates)
        step = replace(
            top,
            connects=sum(rates),
            handshake_time=replace(QUICK, max_s=slowest_s),
            step=replace(top.step, connects_per_s=meant_per_s),
        )
        others = (replace(each, connects=0) for each in record.steps if each.index != 7)
        events = [
            replace(event, at=ended_at)
            if event.detail.get("phase") == "settle" and event.detail.get("index") == 7
            else event
            for event in record.events
        ]
        samples = tuple(
            replace(each, used={**each.used, Resource.EVENT_LOOP: used_ratio})
            for each in record.samples
        )
        return replace(
            record,
            steps=tuple(sorted((*others, step), key=lambda each: each.index)),
            points=tuple(points),
            events=tuple(events),
            samples=samples,
        )

    return with_ramp


def test_a_ramp_that_waits_shows_the_rate_of_admission(ramped):
    found = admission_per_s(ramped(), PLAN)

    assert 57.0 == pytest.approx(found.mid, rel=0.02)
    assert found.low < 57.0 <= found.high


def test_handshakes_that_never_waited_tell_no_limit(ramped):
    """The bound of a slow handshake is 0.1 s."""
    assert admission_per_s(ramped(slowest_s=0.1), PLAN) is None
    assert admission_per_s(ramped(slowest_s=0.101), PLAN) is not None


@pytest.mark.parametrize(("off", "is_met"), [(0.99, False), (1.01, True)])
def test_a_ramp_at_about_the_rate_it_was_meant_to_have_was_not_held_back(ramped, off, is_met):
    mean = sum(RATES) / len(RATES)

    found = admission_per_s(ramped(meant_per_s=off * mean / 0.8), PLAN)

    assert is_met == (found is not None)


@pytest.mark.parametrize(("off", "is_met"), [(0.99, True), (1.01, False)])
def test_a_target_that_is_busy_lets_in_as_many_as_its_processors_can(ramped, off, is_met):
    found = admission_per_s(ramped(used_ratio=off * 0.6), PLAN)

    assert is_met == (found is not None)


def test_a_careful_ramp_is_meant_to_take_its_time(ramped):
    seconds = 6

    assert admission_per_s(ramped(rates=(40,) * seconds), PLAN) is None
    assert admission_per_s(ramped(rates=(40,) * 2 * seconds), PLAN) is not None


def test_a_few_seconds_are_no_rate(ramped):
    few = ramped(rates=(40,) * 8)

    assert admission_per_s(replace(few, points=few.points[:6]), PLAN) is not None
    assert admission_per_s(replace(few, points=few.points[:5]), PLAN) is None


def test_a_ramp_that_the_run_itself_slowed_down_shows_its_own_rate(ramped):
    record = ramped()
    begin, *_, end = (point.at for point in record.points)
    eased = [
        RunEvent(at=at, kind="eased", detail={}) for at in (begin + 1.0, begin - 1.0, end + 1.0)
    ]
    within, *outside = (replace(record, events=(*record.events, each)) for each in eased)

    assert admission_per_s(within, PLAN) is None
    assert all(admission_per_s(each, PLAN) is not None for each in outside)


def test_the_rate_is_the_highest_usual_one_between_the_middle_and_a_tenth_above_all(ramped):
    found = admission_per_s(ramped(), PLAN)

    assert (found.low, found.mid, found.high) == pytest.approx((42.5, 57.0, 1.1 * 57.0))
    assert found.confidence == 0.9


def test_rates_are_read_between_points_of_the_ramp_that_have_time_between_them(ramped):
    record = ramped()
    ramp = ramps(record)[-1]
    like = record.points[0]
    places = ((-1.0, 0), (0.0, 100), (2.0, 120), (2.0, 130), (3.0, 140), (99.0, 900))
    points = tuple(
        replace(like, at=ramp.began_at + at, open_connections=count) for at, count in places
    )

    assert _rates_per_s(ramp, points) == [10.0, 10.0]


@pytest.mark.parametrize(
    ("uses", "is_busy"),
    [((0.5, 0.71), True), ((0.5, 0.69), False), ((float("nan"), 0.61), True), ((), False)],
)
def test_a_processor_is_busy_beyond_three_fifths_of_its_limit_on_average(ramped, uses, is_busy):
    record = ramped()
    ramp = ramps(record)[-1]
    like = record.samples[0]
    samples = tuple(replace(like, used={Resource.EVENT_LOOP: use}) for use in uses)
    ramp = replace(ramp, samples=(*samples, replace(like, used={})))

    assert _is_busy(ramp, PLAN) is is_busy


def test_the_highest_usual_rate_is_that_of_nineteen_seconds_in_twenty(ramped):
    """Of 24 rates between the last but one and the last, three quarters of the way."""
    found = admission_per_s(ramped(rates=(40,) * 22 + (50, 60)), PLAN)

    assert (found.low, found.mid) == pytest.approx((40.0, 57.5))


@pytest.mark.parametrize("edge", [0, -1])
def test_a_ramp_that_was_slowed_down_at_its_very_edge_was_slowed_down(ramped, edge):
    record = ramped()
    eased = RunEvent(at=record.points[edge].at, kind="eased", detail={})

    assert admission_per_s(replace(record, events=(*record.events, eased)), PLAN) is None


def test_a_processor_without_a_known_limit_is_not_busy(ramped):
    loop = next(wall for wall in PLAN.ladder if wall.resource is Resource.EVENT_LOOP)
    unknown = replace(loop, limit=replace(loop.limit, value=None))
    ramp = ramps(ramped(used_ratio=9.0))[-1]

    assert not _is_busy(ramp, replace(PLAN, ladder=(unknown,)))
    assert _is_busy(ramp, replace(PLAN, ladder=(unknown, loop)))


@pytest.mark.parametrize(("busy_ratio", "is_met"), [(0.89, True), (0.91, False)])
def test_arrivals_that_wait_for_a_processor_that_others_have_show_no_rate(
    ramped, busy_ratio, is_met
):
    record = ramped()
    samples = tuple(
        replace(each, gauges={**each.gauges, "cpu_system_ratio": busy_ratio})
        for each in record.samples
    )

    assert is_met == (admission_per_s(replace(record, samples=samples), PLAN) is not None)


@pytest.mark.parametrize(("lag_s", "is_met"), [(NEAR_LAG_S, True), (NEAR_LAG_S + 0.001, False)])
def test_handshakes_that_a_busy_generator_saw_late_show_no_rate(ramped, lag_s, is_met):
    record = ramped()
    health = GeneratorHealth(workers=1, lag_p95_s=lag_s, cpu_ratio=0.1, descriptors_ratio=0.1)
    steps = tuple(replace(step, generator_opening=health) for step in record.steps)

    assert is_met == (admission_per_s(replace(record, steps=steps), PLAN) is not None)
