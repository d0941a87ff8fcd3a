"""The host as node_exporter 1.5.0 publishes it."""

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.sources.metrics.exposition import page_of
from capacity.sources.metrics.node_exporter import clients_device, cores, limits, readers
from capacity.sources.metrics.series import AbsentError, Rates, Values, read_all

PAGE = """\
node_boot_time_seconds 1.795388757e+09
node_cpu_seconds_total{cpu="0",mode="idle"} 28040.17
node_cpu_seconds_total{cpu="0",mode="user"} 3918.4
node_cpu_seconds_total{cpu="1",mode="idle"} 27905.73
node_cpu_seconds_total{cpu="1",mode="user"} 5431.3
node_filefd_allocated 676
node_filefd_maximum 2.466177e+06
node_memory_MemAvailable_bytes 2.4e+10
node_memory_MemTotal_bytes 2.5e+10
node_memory_Slab_bytes 2.99220992e+08
node_netstat_TcpExt_ListenDrops 3967
node_netstat_TcpExt_ListenOverflows 3966
node_netstat_TcpExt_SyncookiesSent 481
node_netstat_TcpExt_TCPSynRetrans 2083
node_netstat_TcpExt_TCPTimeouts 2449
node_netstat_Tcp_CurrEstab 2
node_netstat_Tcp_OutSegs 4.12387e+06
node_netstat_Tcp_RetransSegs 534571
node_network_speed_bytes{device="eth0"} 1.25e+08
node_network_speed_bytes{device="ifb0"} -125000
node_network_transmit_bytes_total{device="eth0"} 1.918622e+06
node_network_transmit_bytes_total{device="ifb0"} 0
node_network_transmit_bytes_total{device="lo"} 5e+06
node_network_up{device="eth0"} 1
node_network_up{device="ifb0"} 0
node_network_up{device="lo"} 1
node_nf_conntrack_entries 12
node_nf_conntrack_entries_limit 262144
node_sockstat_TCP_mem_bytes 1.4336e+06
"""


def values(page=PAGE, at=1.0):
    return Values(page_of(page, lambda _name: True, at).series)


def without(word):
    return values("\n".join(line for line in PAGE.splitlines() if word not in line))


def merged(readings):
    return (
        {k: v for reading in readings for k, v in reading.used.items()},
        {k: v for reading in readings for k, v in reading.counters.items()},
        {k: v for reading in readings for k, v in reading.missing.items()},
    )


def test_the_host_is_read_in_base_units():
    used, counters, missing = merged(read_all(readers(None), values(), Rates()))

    assert used == {
        Resource.FILE_TABLE: 676,
        Resource.HOST_MEMORY: 1e9,
        Resource.TCP_MEMORY: 1433600,
        Resource.CONNTRACK: 12,
    }
    assert 3966 == counters["listen_overflows"]
    assert (534571, 4123870) == (counters["retransmits"], counters["segments_sent"])
    assert {Resource.NETWORK_OUT: "first reading: a rate needs two"} == missing


def test_limits_stand_beside_the_use():
    found = {limit.resource: (limit.state, limit.value) for limit in limits(values(), None)}

    assert found == {
        Resource.FILE_TABLE: (LimitState.KNOWN, 2466177),
        Resource.HOST_MEMORY: (LimitState.KNOWN, 2.5e10),
        Resource.CONNTRACK: (LimitState.KNOWN, 262144),
        Resource.TCP_MEMORY: (LimitState.UNKNOWN, None),
        Resource.NETWORK_OUT: (LimitState.KNOWN, 1.25e8),
        Resource.CPU: (LimitState.KNOWN, 2),
    }


def test_what_systemd_sets_for_the_file_table_is_no_limit():
    page = PAGE.replace("2.466177e+06", "9.223372036854775807e+18")
    [file_table, *_] = limits(values(page), None)

    assert LimitState.UNLIMITED == file_table.state


def test_an_interface_that_does_not_know_its_speed_has_an_unknown_limit():
    found = {limit.resource: limit for limit in limits(values(), "ifb0")}

    assert LimitState.UNKNOWN == found[Resource.NETWORK_OUT].state
    assert "ifb0 does not know its speed" == found[Resource.NETWORK_OUT].reason


def test_what_is_sent_is_a_rate_of_the_clients_interface():
    rates = Rates()
    read_all(readers("lo"), values(at=1.0), rates)
    used, _, _ = merged(read_all(readers("lo"), values(PAGE.replace("5e+06", "6e+06"), 3.0), rates))

    assert 5e5 == pytest.approx(used[Resource.NETWORK_OUT])


def test_the_interface_is_the_only_one_that_is_up_beside_loopback():
    assert "eth0" == clients_device(values(), None)


@pytest.mark.parametrize(
    ("page", "device", "said"),
    [
        (
            PAGE.replace('up{device="ifb0"} 0', 'up{device="ifb0"} 1'),
            None,
            r"eth0, ifb0\): name its",
        ),
        (PAGE, "eth9", "no interface eth9, only eth0, ifb0, lo"),
        ("", None, "unclear \\(none\\)"),
    ],
)
def test_an_unclear_interface_is_no_reading(page, device, said):
    with pytest.raises(AbsentError, match=said):
        clients_device(values(page), device)


def test_a_collector_that_is_switched_off_leaves_its_part_missing_and_its_limit_unknown():
    _, _, missing = merged(read_all(readers(None), without("conntrack"), Rates()))
    found = {limit.resource: limit for limit in limits(without("conntrack"), None)}

    assert "node_nf_conntrack_entries is not among the metrics" == missing[Resource.CONNTRACK]
    assert LimitState.UNKNOWN == found[Resource.CONNTRACK].state


def test_a_host_without_cores_has_no_limit_of_cpu():
    assert 0 == cores(without("node_cpu"))
    assert Resource.CPU not in {limit.resource for limit in limits(without("node_cpu"), None)}
