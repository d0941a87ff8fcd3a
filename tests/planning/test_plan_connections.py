"""What of a plan is about connections that are counted or declared."""

from dataclasses import replace

import pytest

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.evidence.windows import DESCRIPTOR_LIMIT
from capacity.planning.plan import plan


def declared(resource, value):
    return Limit(
        resource=resource,
        state=LimitState.KNOWN,
        value=value,
        scope="declared",
        source="worker_connections",
    )


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
