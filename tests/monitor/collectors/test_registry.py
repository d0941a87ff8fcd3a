"""All collectors together say everything that a sample may hold, each name once."""

from capacity.domain.resources import Resource
from capacity.monitor.collectors.registry import host_collectors, target_collectors

READINGS = {
    *("accept_queue", "accept_queue_limit", "sockets_established", "kernel_slab_bytes"),
    *("resident_bytes", "cgroup_memory_bytes", "cgroup_memory_peak_bytes", "cpu_system_ratio"),
    *("processes", "agent_cpu_cores", "listen_overflows", "listen_drops", "retransmits"),
    *("network_rx_bytes", "network_tx_bytes", "fullest_process_descriptors_limit"),
}


def test_every_resource_gauge_and_counter_has_one_collector():
    provided = [
        name for each in (*target_collectors(), *host_collectors()) for name in each.provides
    ]

    assert sorted(provided) == sorted({*Resource, *READINGS})
