"""The host's memory as its kernel says it."""

import psutil
import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors.host_memory import HostMemoryCollector


def test_used_is_total_minus_available(write_file, tmp_path):
    write_file("meminfo", "MemTotal: 100 kB\nMemFree: 1 kB\nMemAvailable: 60 kB\nSlab: 7 kB\n")
    collector = HostMemoryCollector(str(tmp_path))
    reading = collector.collect()
    (limit,) = collector.limits()

    assert reading.used == {Resource.HOST_MEMORY: 40 * 1024}
    assert reading.gauges == {"kernel_slab_bytes": 7 * 1024}
    assert (limit.value, limit.scope) == (100 * 1024, "host")
    assert limit.source == f"{tmp_path}/meminfo: MemTotal"


def test_the_real_host_agrees_with_psutil():
    memory = psutil.virtual_memory()
    reading = HostMemoryCollector().collect()

    assert reading.used[Resource.HOST_MEMORY] == pytest.approx(
        memory.total - memory.available, abs=64 << 20
    )


def test_a_kernel_without_mem_available_has_no_usage(write_file, tmp_path):
    write_file("meminfo", "MemTotal: 100 kB\nSlab: 7 kB\n")
    with pytest.raises(ValueError, match="MemAvailable"):
        HostMemoryCollector(str(tmp_path)).collect()


def test_an_unreadable_total_is_an_unknown_limit(tmp_path):
    (limit,) = HostMemoryCollector(str(tmp_path)).limits()

    assert limit.state is LimitState.UNKNOWN
    assert "does not exist" in limit.reason
