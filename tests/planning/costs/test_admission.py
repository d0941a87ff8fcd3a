import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.observation import Quantiles
from capacity.domain.resources import Resource
from capacity.domain.run import RunEvent
from capacity.planning.costs.admission import (
    FEWEST_SECONDS,
    HELD_BACK_RATIO,
    IDLE_RATIO,
    SHORTEST_RAMP_S,
    admission_per_s,
)

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

    found = admission_per_s(ramped(meant_per_s=off * mean / HELD_BACK_RATIO), PLAN)

    assert is_met == (found is not None)


@pytest.mark.parametrize(("off", "is_met"), [(0.99, True), (1.01, False)])
def test_a_target_that_is_busy_lets_in_as_many_as_its_processors_can(ramped, off, is_met):
    found = admission_per_s(ramped(used_ratio=off * IDLE_RATIO), PLAN)

    assert is_met == (found is not None)


def test_a_careful_ramp_is_meant_to_take_its_time(ramped):
    seconds = int(SHORTEST_RAMP_S)

    assert admission_per_s(ramped(rates=(40,) * seconds), PLAN) is None
    assert admission_per_s(ramped(rates=(40,) * 2 * seconds), PLAN) is not None


def test_a_few_seconds_are_no_rate(ramped):
    few = ramped(rates=(40,) * 8)

    assert admission_per_s(replace(few, points=few.points[: FEWEST_SECONDS + 1]), PLAN) is not None
    assert admission_per_s(replace(few, points=few.points[:FEWEST_SECONDS]), PLAN) is None


def test_a_ramp_that_the_run_itself_slowed_down_shows_its_own_rate(ramped):
    record = ramped()
    begin, *_, end = (point.at for point in record.points)
    eased = [
        RunEvent(at=at, kind="eased", detail={}) for at in (begin + 1.0, begin - 1.0, end + 1.0)
    ]
    within, *outside = (replace(record, events=(*record.events, each)) for each in eased)

    assert admission_per_s(within, PLAN) is None
    assert all(admission_per_s(each, PLAN) is not None for each in outside)
