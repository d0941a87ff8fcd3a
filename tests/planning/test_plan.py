from dataclasses import replace

import numpy as np
import pytest

from capacity.domain.caveats import ASSUMED, DoubtKind
from capacity.domain.plan import Excuse
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.evidence.windows import DESCRIPTOR_LIMIT
from capacity.planning.plan import plan


def wall(planned, resource):
    return next(wall for wall in planned.ladder if wall.resource is resource)


def declared(resource, value):
    return Limit(
        resource=resource,
        state=LimitState.KNOWN,
        value=value,
        scope="declared",
        source="worker_connections",
    )


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


@pytest.fixture
def prefork(venue, cost):
    """Record a worker with 10 descriptors of its own and 20,000 allowed, below an idle master.

    The agent sees the master until the worker fills up, and reads its limit before the load.
    """

    def record(steps, master_descriptors, master_limit):
        worker = replace(
            venue,
            steps=steps,
            costs={Resource.DESCRIPTORS: cost(baseline=10, connection=1.0)},
            limits={Resource.DESCRIPTORS: master_limit},
        ).record()
        return replace(
            worker,
            samples=tuple(
                replace(
                    sample,
                    used={
                        Resource.DESCRIPTORS: max(
                            sample.used[Resource.DESCRIPTORS], master_descriptors
                        )
                    },
                    gauges={
                        DESCRIPTOR_LIMIT: 20_000.0
                        if sample.used[Resource.DESCRIPTORS] > 15
                        else master_limit
                    },
                )
                for sample in worker.samples
            ),
        )

    return record


@pytest.mark.parametrize("levels", [(61, 122, 183, 245), (80, 160)])
@pytest.mark.parametrize("master_descriptors", [0.0, 12.0, 16.0, 60.0])
@pytest.mark.parametrize("master_limit", [1024.0, 65_536.0])
def test_the_worker_of_a_prefork_server_is_planned_exactly(
    prefork, ramp, levels, master_descriptors, master_limit
):
    steps = [replace(step, requests_per_s=0.0) for step in ramp(*levels)]
    planned = plan(prefork(steps, master_descriptors, master_limit))

    assert planned.capacity.mid == 20_000 - 10
    assert planned.capacity.low == planned.capacity.high
    assert planned.ladder[0].limit.value == 20_000


@pytest.mark.parametrize("declared_connections", [256.0, 1024.0])
def test_a_publishers_connection_takes_one_of_the_declared(venue, cost, ramp, declared_connections):
    steps = [replace(step, requests_per_s=0.0) for step in ramp(30, 60, 90)]
    counted = replace(
        venue,
        steps=steps,
        costs={
            Resource.APPLICATION_CONNECTIONS: cost(baseline=1, connection=1),
            Resource.DESCRIPTORS: cost(baseline=11, connection=1),
        },
        limits={Resource.DESCRIPTORS: 20_000.0},
    ).record()
    # A census is taken with every other sample only.
    rarer = replace(
        counted,
        samples=tuple(
            replace(s, used={Resource.DESCRIPTORS: s.used[Resource.DESCRIPTORS]})
            if s.seq % 2
            else s
            for s in counted.samples
        ),
    )
    limit = declared(Resource.APPLICATION_CONNECTIONS, declared_connections)
    planned = plan(rarer, declared=[limit])

    assert planned.binding is Resource.APPLICATION_CONNECTIONS
    assert planned.capacity.mid == declared_connections - 1
    assert planned.safe_capacity == declared_connections - 1


def test_a_declared_limit_binds_against_the_census_of_the_agent(venue, cost):
    counted = replace(
        venue,
        costs={
            **venue.costs,
            Resource.APPLICATION_CONNECTIONS: cost(baseline=3, connection=1, request=1),
        },
    )
    planned = plan(counted.record(), declared=[declared(Resource.APPLICATION_CONNECTIONS, 512.0)])

    assert planned.binding is Resource.APPLICATION_CONNECTIONS
    assert planned.capacity.mid == pytest.approx(509 / 1.02, abs=1.0)
    assert planned.ladder[0].limit.source == "worker_connections"


def test_without_a_census_the_generators_count_serves_and_says_so(venue):
    planned = plan(venue.record(), declared=[declared(Resource.APPLICATION_CONNECTIONS, 512.0)])

    assert planned.capacity.mid == 512.0
    assert "counted by the generator" in planned.ladder[0].limit.source


def counted_only(record, at, others=0.0):
    """Return *record* with connections that the agent counted where *at* says so alone, of others too."""
    resource = Resource.APPLICATION_CONNECTIONS
    steps = [step for step in record.steps if step.plateau_started_at is not None]

    def read(sample):
        used = {key: value for key, value in sample.used.items() if key is not resource}
        for step in steps:
            is_on = step.plateau_started_at <= sample.at <= step.plateau_ended_at
            if is_on and at(step.step.connections):
                used[resource] = step.step.connections + others
        return replace(sample, used=used)

    return replace(record, samples=tuple(read(sample) for sample in record.samples))


@pytest.mark.parametrize(("others", "capacity"), [(0.0, 512.0), (12.0, 500.0)])
def test_connections_that_the_agent_counted_at_one_level_alone_keep_their_limit(
    venue, others, capacity
):
    limits = [declared(Resource.APPLICATION_CONNECTIONS, 512.0)]
    record = counted_only(venue.record(), lambda level: level == 0, others)

    planned = plan(record, declared=limits)

    assert planned.capacity.mid == capacity
    assert "counted by the generator" in planned.ladder[0].limit.source


def test_connections_that_the_agent_counted_at_two_levels_are_taken_as_counted(venue):
    limits = [declared(Resource.APPLICATION_CONNECTIONS, 512.0)]
    highest = max(step.step.connections for step in venue.record().steps)
    record = counted_only(venue.record(), lambda level: level in {0, highest})

    planned = plan(record, declared=limits)

    assert planned.capacity.mid == 512.0
    assert "counted by the generator" not in planned.ladder[0].limit.source


def test_a_declared_limit_above_the_one_read_changes_nothing(venue):
    record = venue.record()

    assert plan(record, declared=[declared(Resource.DESCRIPTORS, 9999.0)]) == plan(record)


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


def test_a_plan_says_how_many_connections_of_it_a_client_holds(venue):
    record = venue.record()
    target = replace(record.manifest.target, connections_per_client=3)
    alone, several = (
        plan(each)
        for each in (record, replace(record, manifest=replace(record.manifest, target=target)))
    )

    assert (1, 3) == (alone.connections_per_client, several.connections_per_client)
    assert alone.safe_capacity == alone.safe_clients == several.safe_capacity
    assert several.safe_capacity // 3 == several.safe_clients
