from dataclasses import replace

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.bottlenecks.ceilings import Walls
from capacity.planning.caveats.memory_jumps import (
    garbage_doubts,
    memory_hazards,
    reused_memory,
    share_of_room,
)
from capacity.planning.evidence.windows import plateau_windows
from capacity.planning.plan import plan


def doubts_of(record, declared=()):
    found = plan(record, declared=declared).doubts
    return [doubt for doubt in found if doubt.kind is DoubtKind.STEP_HAZARD]


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
    record = with_agent(memory.record(), target_name="java")
    cap = Limit(
        resource=Resource.MEMORY,
        state=LimitState.KNOWN,
        value=100e6,
        scope="declared",
        source="-Xmx",
    )

    assert "-Xmx" in doubts_of(record)[0].statement
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
    table, reused = doubts_of(small.record())

    assert "hash table growth" in table.statement
    assert "rose by only" in reused.statement


def test_more_than_all_of_the_room_is_all_of_it(memory):
    wall = plan(memory.record()).ladder[0]
    room = wall.limit.value - wall.cost.baseline.mid

    assert share_of_room(wall, room / 4) == pytest.approx(0.25)
    assert share_of_room(wall, 3 * room) == 1.0
    assert share_of_room(replace(wall, limit=replace(wall.limit, value=1.0)), room) == 0.0


def hazards(memory, record, *, room, ceiling):
    wall = plan(memory.record()).ladder[0]
    wall = replace(
        wall,
        limit=replace(wall.limit, value=1e6 + room, scope="cgroup"),
        cost=replace(wall.cost, baseline=Estimate.exactly(1e6)),
        ceiling=Estimate.exactly(ceiling),
    )
    return [doubt.statement for doubt in memory_hazards(record, wall)]


@pytest.mark.parametrize(("each_bytes", "is_doubted"), [(1_990.0, True), (2_010.0, False)])
def test_a_doubling_of_two_tables_matters_where_it_takes_a_twentieth(
    memory, each_bytes, is_doubted
):
    """At 100 bytes an entry and table it adds 100 bytes for each connection of the ceiling."""
    found = hazards(memory, memory.record(), room=each_bytes * 1000, ceiling=1000.0)

    assert is_doubted == bool(found)
    assert not is_doubted or "adds 97.7 KiB at once, 5 %" in found[0]


@pytest.mark.parametrize(
    ("processes", "shared_bytes", "is_doubted"),
    [(2.0, 5.1e6, True), (2.0, 4.9e6, False), (1.9, 5.1e6, False), (1e6, 5.1e6, True), (1e7, 5.1e6, False)],
)  # fmt: skip
def test_pages_of_two_processes_matter_from_a_twentieth_of_the_room(
    memory, processes, shared_bytes, is_doubted
):
    record = forked(memory.record(), processes=processes, shared_bytes=shared_bytes)

    assert is_doubted == bool(hazards(memory, record, room=100e6, ceiling=1000.0))


def test_samples_that_cannot_have_been_read_share_nothing(memory):
    record = forked(memory.record(), processes=5.0, shared_bytes=40e6)
    broken = [
        {"processes": 5.0},
        {"resident_bytes": 9e9},
        {"resident_bytes": float("inf"), "processes": 5.0},
    ]
    samples = [replace(each, gauges=broken[n % 3]) for n, each in enumerate(record.samples)]
    unread = [replace(each, used={}) for each in record.samples]

    for spoiled in (samples, unread):
        lost = replace(record, samples=tuple(spoiled))
        assert hazards(memory, lost, room=100e6, ceiling=1000.0) == []


def test_what_a_small_load_added_may_be_garbage_of_the_runtime(memory):
    record = memory.record()
    (doubt,) = doubts_of(with_agent(record, target_name="deno"))

    assert "collects no garbage before some 32 MiB" in doubt.statement
    assert "up to 50 % of the cost of a connection" in doubt.statement
    assert doubts_of(record) == []


@pytest.mark.parametrize(("added_mib", "is_doubted"), [(639, True), (641, False), (0, False)])
def test_garbage_matters_from_a_twentieth_of_what_a_load_added(memory, added_mib, is_doubted):
    record = with_agent(memory.record(), target_name="ruby3.1")
    (wall,) = plan(record).ladder
    wall = replace(wall, used_at_baseline=1e6, used_at_highest=1e6 + added_mib * 2**20)
    cores = replace(wall, resource=Resource.CPU)

    assert bool(list(garbage_doubts(record, [cores, wall, wall]))) == is_doubted
    assert list(garbage_doubts(record, [cores])) == []


@pytest.mark.parametrize(("each", "is_told"), [(0.0, True), (300.0, True), (3000.0, False)])
def test_a_target_that_uses_its_memory_again_is_not_said_to_take_none(venue, cost, each, is_told):
    warm = replace(
        venue,
        costs={
            Resource.DESCRIPTORS: cost(baseline=15, connection=1.0),
            Resource.MEMORY: cost(baseline=60e6, connection=each, noise=1e-6),
        },
        limits={Resource.DESCRIPTORS: 4015.0, Resource.MEMORY: 256e6},
    )
    said = [doubt for doubt in doubts_of(warm.record()) if "uses again" in doubt.statement]

    assert bool(said) is is_told
    assert all("Restart the target" in doubt.remedy for doubt in said)


@pytest.mark.parametrize(
    ("each_bytes", "at_capacity_bytes", "is_told"),
    [(1023.9, 102_399.9, True), (1024.1, 102_399.9, False), (1023.9, 102_400.1, False)],
)
def test_it_is_told_where_memory_could_well_be_full_first(
    memory, each_bytes, at_capacity_bytes, is_told
):
    record = memory.record()
    [wall] = [wall for wall in plan(record).ladder if wall.resource is Resource.MEMORY]
    windows = plateau_windows(record.steps, record.samples, 0.0)
    room_bytes = 1000.0 * at_capacity_bytes
    reached = room_bytes / each_bytes
    limit_bytes = room_bytes + min(window.mean[Resource.MEMORY] for window in windows)
    wall = replace(
        wall,
        limit=replace(wall.limit, value=limit_bytes),
        ceiling=Estimate(low=reached, mid=reached, high=reached, confidence=0.9),
    )
    capacity = Estimate(low=900.0, mid=1000.0, high=1100.0, confidence=0.9)
    found = Walls(ladder=(wall,), no_ceiling=(), capacity=capacity)

    assert bool([*reused_memory(found, windows, capacity)]) is is_told
    assert not [*reused_memory(found, [], capacity)]
    assert not [*reused_memory(replace(found, ladder=()), windows, capacity)]
