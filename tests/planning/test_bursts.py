"""High-water marks of a target whose memory bursts between the samples."""

from dataclasses import replace

import pytest

from capacity.domain.resources import Resource
from capacity.planning.plan import plan

MIB = 1 << 20


def with_marks(record, burst_each):
    """Return the record with a cgroup whose mark rises by a burst of so many bytes a connection."""
    marked, mark = [], 0.0
    for sample in record.samples:
        used = sample.used[Resource.MEMORY]
        connections = (used - 40 * MIB) / 100_000
        if sample.seq % 3 == 0:  # A burst comes once in three seconds.
            mark = max(mark, used + burst_each * connections)
        mark = max(mark, used)
        gauges = {"cgroup_memory_bytes": used, "cgroup_memory_peak_bytes": mark}
        marked.append(replace(sample, gauges=gauges))
    return replace(record, samples=tuple(marked))


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
