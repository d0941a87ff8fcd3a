"""High-water marks of a target whose memory bursts between the samples, from plan to plan."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from capacity.domain.resources import Resource
from capacity.domain.sample import MemoryReading
from capacity.planning.costs.memory_bursts import burst_costs
from capacity.planning.plan import plan

MIB = 1 << 20


def with_marks(record, burst_each, cache=lambda _seq: 0.0, account="/sys/fs/cgroup/venue"):
    """Return the record with a cgroup whose mark rises by a burst of so many bytes a connection.

    What it is charged for has a file *cache* on top, by number of the sample.
    """
    marked, mark = [], 0.0
    for sample in record.samples:
        used = sample.used[Resource.MEMORY]
        connections = (used - 40 * MIB) / 100_000
        if sample.seq % 3 == 0:  # A burst comes once in three seconds.
            mark = max(mark, used + burst_each * connections + cache(sample.seq))
        charged = used + cache(sample.seq)
        mark = max(mark, charged)
        reading = MemoryReading(
            account=account, use_bytes=used, charged_bytes=charged, high_water_bytes=mark
        )
        marked.append(replace(sample, memory=reading))
    return replace(record, samples=tuple(marked))


@pytest.mark.parametrize(("use_bytes", "matters"), [(19_900.0, True), (20_100.0, False)])
def test_bursts_matter_from_half_a_percent_of_the_highest_use(use_bytes, matters):
    windows = [
        SimpleNamespace(asked_connections=n, burst_bytes=n / 2, is_held_longer=False)
        for n in (50, 100, 200)
    ]
    found = burst_costs(windows, use_bytes)

    assert matters == (found is not None)
    assert not matters or (0.0, 0.5) == pytest.approx(found)


def test_the_largest_burst_of_a_level_counts_but_for_what_was_held_longer():
    sizes = [(50, 25.0), (100, 50.0), (200, 40.0), (200, 100.0), (200, None), (200, 60.0)]
    windows = [
        SimpleNamespace(asked_connections=n, burst_bytes=size, is_held_longer=False)
        for n, size in sizes
    ]
    longer = SimpleNamespace(asked_connections=200, burst_bytes=900.0, is_held_longer=True)

    assert (0.0, 0.5) == pytest.approx(burst_costs([*windows, longer], 1.0))


@pytest.fixture
def record(venue, cost):
    return replace(
        venue,
        costs={Resource.MEMORY: cost(baseline=40 * MIB, connection=100_000)},
        limits={Resource.MEMORY: 40 * MIB + 100_000_000.0},
    ).record()


def test_a_burst_for_every_connection_takes_room_from_connections(record):
    found = plan(with_marks(record, 25_000))

    assert found.capacity.mid == pytest.approx(1e8 / 125_000, rel=0.02)


def test_without_bursts_the_capacity_is_that_of_the_line(record):
    found = plan(with_marks(record, 0.0))

    assert found.capacity.mid == pytest.approx(plan(record).capacity.mid, rel=1e-6)
    assert found.capacity.mid == pytest.approx(1000, rel=0.01)


@pytest.mark.parametrize(
    "cache",
    [lambda _: 800 * MIB, lambda seq: seq * MIB, lambda seq: 800 * MIB - seq * MIB],
    ids=["even", "growing", "reclaimed"],
)
def test_file_cache_that_is_charged_as_well_is_no_burst(record, cache):
    found = plan(with_marks(record, 0.0, cache))

    assert found.capacity.mid == pytest.approx(1000, rel=0.01)


def test_bursts_are_found_beside_file_cache(record):
    found = plan(with_marks(record, 25_000, lambda seq: 100 * MIB + seq * 10_000))

    assert found.capacity.mid == pytest.approx(1e8 / 125_000, rel=0.03)


def of_an_old_agent(record, resident):
    """Return the record with the cgroup of a neighbour whose cache the kernel takes back."""
    return replace(
        record,
        samples=tuple(
            replace(
                sample,
                gauges={
                    "cgroup_memory_bytes": 900 * MIB - 2 * MIB * sample.seq,
                    "cgroup_memory_peak_bytes": 904.0 * MIB,
                    **({"resident_bytes": sample.used[Resource.MEMORY]} if resident else {}),
                },
            )
            for sample in record.samples
        ),
    )


@pytest.mark.parametrize("resident", [True, False])
def test_a_record_of_an_old_agent_has_no_cost_of_the_cache_of_others(record, resident):
    found = plan(of_an_old_agent(record, resident=resident))

    assert found.capacity == plan(record).capacity
