from dataclasses import replace

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.caveats.memory_jumps import share_of_room
from capacity.planning.plan import plan


def doubts_of(record, declared=()):
    found = plan(record, declared=declared).doubts
    return [doubt for doubt in found if doubt.kind is DoubtKind.STEP_HAZARD]


@pytest.fixture(scope="module")
def memory(venue, cost, safe):
    """Memory gives out first, at 2,500 connections after tests up to 245 in eight levels."""
    return replace(
        venue,
        steps=safe(8.0, 8),
        costs={Resource.MEMORY: cost(baseline=60e6, connection=60e3, delivery=500.0, noise=0.002)},
        limits={Resource.MEMORY: 60e6 + 1000 * 65e3},
    )


def with_agent(record, *, target_name="planted", scope="process"):
    agent = record.manifest.agent
    limits = tuple(replace(limit, scope=scope) for limit in agent.limits)
    agent = replace(agent, target_name=target_name, limits=limits)
    return replace(record, manifest=replace(record.manifest, agent=agent))


def forked(record, *, processes, shared_bytes):
    samples = tuple(
        replace(
            sample,
            gauges={
                "processes": processes,
                "resident_bytes": sample.used[Resource.MEMORY] + shared_bytes,
            },
        )
        for sample in record.samples
    )
    return replace(record, samples=samples)


def test_pages_shared_since_a_fork_are_a_hazard_where_a_cgroup_counts_them_once(memory):
    record = forked(memory.record(), processes=5.0, shared_bytes=40e6)
    (doubt,) = doubts_of(with_agent(record, scope="cgroup"))

    assert doubt.kind is DoubtKind.STEP_HAZARD
    assert "The 5 processes of the target share" in doubt.statement
    assert doubts_of(record) == []


@pytest.mark.parametrize(("processes", "shared_bytes"), [(1.0, 40e6), (5.0, 1e5), (5.0, -4e6)])
def test_one_process_or_little_to_copy_is_no_hazard(memory, processes, shared_bytes):
    record = forked(memory.record(), processes=processes, shared_bytes=shared_bytes)

    assert doubts_of(with_agent(record, scope="cgroup")) == []


def test_the_cap_of_a_heap_is_asked_for_until_it_is_declared(memory):
    record = with_agent(memory.record(), target_name="node")
    cap = Limit(
        resource=Resource.MEMORY,
        state=LimitState.KNOWN,
        value=100e6,
        scope="declared",
        source="--max-old-space-size",
    )

    assert "--max-old-space-size" in doubts_of(record)[0].statement
    assert doubts_of(record, declared=(cap,)) == []


@pytest.mark.parametrize("state", LimitState)
def test_a_cap_that_the_agent_looked_for_is_a_wall_or_a_doubt_of_its_own(memory, state):
    record = with_agent(memory.record(), target_name="java")
    value = 9e9 if state is LimitState.KNOWN else None
    cap = Limit(resource=Resource.HEAP, state=state, value=value, scope="process", source="x")
    agent = replace(record.manifest.agent, limits=(*record.manifest.agent.limits, cap))
    looked = replace(record, manifest=replace(record.manifest, agent=agent))

    assert len(doubts_of(record)) == 1
    assert doubts_of(looked) == []


def test_connections_small_as_table_entries_jump_when_tables_double(venue, cost, safe):
    small = replace(
        venue,
        steps=safe(8.0, 8),
        costs={Resource.MEMORY: cost(baseline=10e6, connection=800.0)},
        limits={Resource.MEMORY: 10e6 + 1000 * 800.0},
    )
    (doubt,) = doubts_of(small.record())

    assert doubt.kind is DoubtKind.STEP_HAZARD
    assert "hash table growth" in doubt.statement


def test_more_than_all_of_the_room_is_all_of_it(memory):
    wall = plan(memory.record()).ladder[0]
    room = wall.limit.value - wall.cost.baseline.mid

    assert share_of_room(wall, room / 4) == pytest.approx(0.25)
    assert share_of_room(wall, 3 * room) == 1.0
    assert share_of_room(replace(wall, limit=replace(wall.limit, value=1.0)), room) == 0.0
