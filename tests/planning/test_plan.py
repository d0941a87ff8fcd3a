from dataclasses import replace

import numpy as np
import pytest

from capacity.domain.caveats import ASSUMED, DoubtKind
from capacity.domain.plan import Excuse
from capacity.domain.resources import Resource
from capacity.planning.plan import plan


def wall(planned, resource):
    return next(wall for wall in planned.ladder if wall.resource is resource)


@pytest.mark.parametrize("seed", range(5))
def test_planted_ceilings_are_found_from_a_quarter_of_the_load(venue, seed):
    planned = plan(replace(venue, seed=seed).record())
    truth = {name: truth.ceiling(venue.limits[name]) for name, truth in venue.costs.items()}

    assert planned.binding is Resource.DESCRIPTORS
    assert planned.capacity.mid == pytest.approx(truth[Resource.DESCRIPTORS], rel=0.001)
    assert wall(planned, Resource.MEMORY).ceiling.mid == pytest.approx(
        truth[Resource.MEMORY], rel=0.02
    )
    assert wall(planned, Resource.EVENT_LOOP).ceiling.mid == pytest.approx(
        truth[Resource.EVENT_LOOP], rel=0.12
    )


@pytest.mark.parametrize("binding", [Resource.DESCRIPTORS, Resource.MEMORY, Resource.EVENT_LOOP])
def test_the_planted_wall_is_the_one_that_binds(venue, binding):
    tight = {
        name: truth.baseline
        + (400 if name is binding else 2000) / truth.ceiling(1.0 + truth.baseline)
        for name, truth in venue.costs.items()
    }
    planned = plan(replace(venue, limits=tight).record())

    assert planned.binding is binding
    assert planned.capacity.mid == pytest.approx(400, rel=0.12)
    assert planned.ladder[0].binding_probability > 0.9


def test_garbage_collections_and_a_restart_leave_the_ceilings_where_they_are(venue, cost):
    rough = replace(
        venue,
        costs={
            **venue.costs,
            Resource.MEMORY: cost(
                baseline=60e6, connection=60e3, delivery=500.0, noise=0.003, spike=1e6
            ),
        },
        restarts_at=(1,),
    )
    planned = plan(rough.record())
    truth = rough.costs[Resource.MEMORY].ceiling(256e6 - 1e6)

    assert wall(planned, Resource.MEMORY).ceiling.mid == pytest.approx(truth, rel=0.04)
    assert planned.capacity.mid == pytest.approx(985, rel=0.001)
    assert DoubtKind.TARGET_RESTARTED in {doubt.kind for doubt in planned.doubts}


@pytest.mark.parametrize(
    ("collection", "share"), [(1.5, 1 / 12), (0.6, 1 / 8)], ids=["rare", "often"]
)
def test_work_that_comes_in_bursts_leaves_the_safe_number_safe(
    venue, cost, safe, collection, share
):
    truth = cost(
        baseline=0.02,
        connection=1e-4,
        delivery=8e-5,
        noise=0.03,
        collection=collection,
        collected_share=share,
    )
    planted = replace(
        venue, costs={Resource.CPU: truth}, limits={Resource.CPU: 1.0}, steps=safe(12.0, 5)
    )
    plans = [plan(replace(planted, seed=seed).record()) for seed in range(30)]
    ceiling = truth.ceiling(1.0)

    assert np.median([p.capacity.mid for p in plans]) == pytest.approx(ceiling, rel=0.03)
    assert sum(p.safe_capacity > ceiling for p in plans) <= 2


def test_memory_lost_in_its_scatter_still_bounds_what_is_safe(venue, cost, safe):
    truth = cost(baseline=60e6, connection=40e3, step_noise=0.02)
    planted = replace(
        venue,
        costs={Resource.MEMORY: truth, Resource.DESCRIPTORS: cost(baseline=12, connection=1.0)},
        limits={Resource.MEMORY: 60e6 + 700 * 40e3, Resource.DESCRIPTORS: 4096.0},
        steps=[replace(s, connections=s.connections // 4) for s in safe(12.0, 5)],
    )
    plans = [plan(replace(planted, seed=seed).record()) for seed in range(40)]

    assert all(Resource.MEMORY in {wall.resource for wall in p.ladder} for p in plans)
    assert any(not w.ceiling.is_bounded for p in plans for w in p.ladder)
    assert sum(p.safe_capacity > 700 for p in plans) <= 2


def test_what_was_held_is_safe_whatever_a_cost_that_is_lost_in_noise_may_be(venue, cost):
    """A neighbour makes the host's memory rise and fall: without it the counted limit is exact."""
    planted = replace(
        venue,
        costs={
            Resource.DESCRIPTORS: cost(baseline=12, connection=1.0),
            Resource.HOST_MEMORY: cost(baseline=100e6, connection=0.0, step_noise=0.4),
        },
        limits={Resource.DESCRIPTORS: 600.0, Resource.HOST_MEMORY: 180e6},
    )
    plans = [plan(replace(planted, seed=seed).record()) for seed in range(12)]
    noisy = [p for p in plans if any(not w.ceiling.is_bounded for w in p.ladder)]
    held = max(step.connections for step in venue.steps)

    assert noisy
    assert all(p.safe_capacity >= held for p in plans if p.capacity.mid >= held)
    assert any(p.safe_capacity == held for p in noisy)


def test_the_safe_capacity_is_the_whole_number_below_the_interval(venue):
    planned = plan(venue.record())
    highest = max(step.connections for step in venue.steps)

    assert planned.capacity.low - 1 < planned.safe_capacity <= planned.capacity.low
    assert planned.extrapolation_ratio == planned.capacity.mid / highest
    assert planned.highest_connections == highest


@pytest.mark.parametrize("resource", [Resource.MEMORY, Resource.EVENT_LOOP])
def test_use_that_falls_with_the_load_sets_no_ceiling(venue, cost, resource):
    falling = cost(baseline=1e6, connection=-1e3)
    record = replace(venue, costs={resource: falling}, limits={resource: 2e6}).record()
    excuse = plan(record)

    assert isinstance(excuse, Excuse)
    assert "no measurable cost per connection" in excuse.reason


def test_a_load_that_never_changes_is_an_excuse(venue, ramp):
    record = replace(venue, steps=ramp(100, 100, 100)[1:]).record()
    excuse = plan(record)

    assert isinstance(excuse, Excuse)
    assert "Only one connection level" in excuse.reason


def test_without_any_reading_of_what_is_limited_there_is_an_excuse(venue):
    record = venue.record()
    blind = tuple(replace(sample, used={}) for sample in record.samples)
    excuse = plan(replace(record, samples=blind))

    assert isinstance(excuse, Excuse)
    assert "usage not read" in excuse.reason


def test_what_holds_of_every_plan_is_no_doubt_of_this_one(venue):
    record = venue.record()
    answer = plan(replace(record, manifest=replace(record.manifest, same_host=True)))

    assert {DoubtKind.SHARED_HOST, DoubtKind.OWN_CAP} == {each.kind for each in answer.assumptions}
    assert not {each.kind for each in answer.doubts} & ASSUMED
