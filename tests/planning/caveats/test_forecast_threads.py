"""What of a forecast is about one thread that may be full before the cores are."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.domain.units import about
from capacity.planning.caveats.forecast import plan_doubts

FORECASTS = runpy.run_path(str(Path(__file__).with_name("forecasts.py")))
planned = FORECASTS["planned"]
attributed = FORECASTS["attributed"]
quiet = FORECASTS["quiet"]
doubts = FORECASTS["doubts"]


def loop_first(planned, quiet, ceiling=985.0):
    loop = next(wall for wall in quiet if wall.resource is Resource.EVENT_LOOP)
    return (replace(loop, ceiling=Estimate.exactly(ceiling)),)


def test_a_thread_that_is_full_makes_wait_before(doubts, planned, quiet):
    (doubt,) = doubts(walls=loop_first(planned, quiet, ceiling=1000.0))

    assert doubt.kind is DoubtKind.SINGLE_EVENT_LOOP
    assert (
        "90 % utilization (900 connections) the queueing delay is already 9 × the service time"
        in doubt.statement
    )


def test_an_objective_of_latency_answers_how_long_is_too_long(doubts, planned, quiet):
    loop = loop_first(planned, quiet)[0]
    delay = replace(
        loop, resource=Resource.DELIVERY_DELAY, ceiling=Estimate.exactly(2 * loop.ceiling.mid)
    )

    assert doubts(walls=(loop, delay)) == []


def test_cores_without_a_reading_of_threads_may_serve_one_thread_only(doubts, planned, quiet):
    loop = loop_first(planned, quiet, ceiling=4000.0)[0]
    cpu = replace(loop, resource=Resource.CPU, limit=replace(loop.limit, value=4.0))
    (doubt,) = doubts(walls=(cpu,))

    assert doubt.kind is DoubtKind.SINGLE_EVENT_LOOP
    assert "not at the 4,000 that 4 cores would carry" in doubt.statement
    one_core = 4000.0 * (1.0 - cpu.cost.baseline.mid) / (4.0 - cpu.cost.baseline.mid)
    assert f"saturates at {about(one_core)} connections" in doubt.statement
    assert doubts(walls=(cpu,), has_threads=True) == []


@pytest.mark.parametrize("cores", [0.5, 1.0])
def test_a_quota_of_a_core_or_less_is_as_much_as_a_thread_needs(doubts, planned, quiet, cores):
    loop = loop_first(planned, quiet)[0]
    cpu = replace(loop, resource=Resource.CPU, limit=replace(loop.limit, value=cores))

    assert doubts(walls=(cpu,)) == []


def shared_descriptors(quiet, ceiling=900.0, **limit):
    first = next(wall for wall in quiet if wall.resource is Resource.DESCRIPTORS)
    cost = replace(
        first.cost, baseline=Estimate.exactly(20.0), per_connection=Estimate.exactly(0.5)
    )
    limit = replace(first.limit, **{"value": 520.0, **limit})
    return replace(first, cost=cost, limit=limit, ceiling=Estimate.exactly(ceiling))


def test_an_even_share_is_what_the_limit_leaves_over_the_cost(planned, attributed, quiet):
    def found(wall, processes):
        walls = [wall]
        return plan_doubts(
            Estimate.exactly(900.0), 250.0, walls, attributed, planned.mix, processes=processes
        )

    [doubt] = found(shared_descriptors(quiet), 2)
    assert "they would hold 1,000 connections, with the usual random one 900;" in doubt.statement
    assert found(shared_descriptors(quiet), 1) == []
    assert found(shared_descriptors(quiet, value=None), 2) == []
    assert found(replace(shared_descriptors(quiet), resource=Resource.THREADS), 2) == []


@pytest.mark.parametrize(
    ("baseline", "cores", "one_core"),
    [(0.25, 4.0, 800.0), (1.5, 4.0, 0.0), (0.0, 1.000001, 4000.0), (2.0, 1.5, 0.0)],
)
def test_one_thread_is_full_at_what_one_core_leaves(doubts, quiet, baseline, cores, one_core):
    loop = next(wall for wall in quiet if wall.resource is Resource.EVENT_LOOP)
    cpu = replace(
        loop,
        resource=Resource.CPU,
        limit=replace(loop.limit, value=cores),
        cost=replace(loop.cost, baseline=Estimate.exactly(baseline)),
        ceiling=Estimate.exactly(4000.0),
    )
    [doubt] = doubts(walls=(cpu,))

    assert f"saturates at {about(one_core)} connections" in doubt.statement
