from dataclasses import replace

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.models.queueing import shared_time_s
from capacity.planning.bottlenecks.latency_objectives import LatencyUse
from capacity.planning.caveats.latency import latency_doubts
from capacity.planning.plan import plan

LOADS = tuple(float(load) for load in range(100, 900, 80))


@pytest.fixture(scope="module")
def first_wall(venue):
    return plan(venue.record()).ladder[0]


def use_of(latency):
    tails = tuple(latency(load) for load in LOADS)
    limit = Limit(
        resource=Resource.DELIVERY_DELAY,
        state=LimitState.KNOWN,
        value=0.2,
        scope="declared",
        source="slo.delivery_delay",
    )
    return LatencyUse(
        limit=limit,
        steps=tuple(range(len(LOADS))),
        connections=LOADS,
        medians_s=tails,
        tails_s=tails,
    )


def queue(load):
    return shared_time_s(load / 1000.0, 0.02)


def doubts_of(first_wall, latency, ceiling=1500.0, capacity=1500.0):
    wall = replace(
        first_wall,
        resource=Resource.DELIVERY_DELAY,
        ceiling=Estimate(low=0.9 * ceiling, mid=ceiling, high=1.1 * ceiling, confidence=0.9),
    )
    return list(latency_doubts([use_of(latency)], [wall], Estimate.exactly(capacity)))


def test_a_queue_that_fills_up_before_the_forecast_is_doubted(first_wall):
    (doubt,) = doubts_of(first_wall, queue)

    assert doubt.kind is DoubtKind.BENDING
    assert "at 900 connections, not at 1,500" in doubt.statement
    assert "Add a step at 900" in doubt.remedy


def test_a_forecast_below_what_the_law_says_is_cautious_enough(first_wall):
    assert doubts_of(first_wall, queue, ceiling=800.0) == []


def test_a_delay_that_rises_in_a_line_is_not_doubted(first_wall):
    assert doubts_of(first_wall, lambda load: 0.001 + 1e-4 * load) == []


def test_an_objective_far_beyond_the_capacity_does_not_matter(first_wall):
    assert doubts_of(first_wall, queue, capacity=500.0) == []


def test_an_objective_without_a_wall_is_no_doubt_of_its_own(first_wall):
    assert list(latency_doubts([use_of(queue)], [first_wall], Estimate.exactly(900.0))) == []
