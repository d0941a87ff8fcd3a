"""Counters of the kernel: real overflows of a real accept queue."""

import socket

import pytest

from capacity.monitor.collectors.tcp_statistics import TcpStatisticsCollector

NETSTAT = "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 {} {}\n"
SNMP = "Tcp: CurrEstab OutSegs RetransSegs\nTcp: 5 900 {}\n"


@pytest.fixture
def target(write_file, tmp_path, view):
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    return view(7, proc=str(tmp_path))


def test_the_named_counters_are_taken(target, write_file):
    write_file("7/net/netstat", NETSTAT.format(11, 12))
    write_file("7/net/snmp", SNMP.format(13))
    reading = TcpStatisticsCollector().collect(target)

    assert reading.counters == {
        "listen_overflows": 11,
        "listen_drops": 12,
        "retransmits": 13,
        "segments_sent": 900,
        "syn_cookies_sent": 1,
    }
    assert reading.gauges == {"sockets_established": 5}


def test_a_kernel_without_a_counter_is_no_zero(target, write_file):
    write_file("7/net/netstat", "TcpExt: ListenOverflows\nTcpExt: 1\n")
    write_file("7/net/snmp", SNMP.format(13))
    reading = TcpStatisticsCollector().collect(target)

    assert reading.counters == {
        "listen_overflows": 1,
        "retransmits": 13,
        "segments_sent": 900,
    }
    assert reading.missing["listen_drops"] == "this kernel does not count ListenDrops"
    assert {*reading.counters, *reading.gauges, *reading.missing} == set(
        TcpStatisticsCollector.provides
    )


@pytest.mark.alone  # The gauge is of the whole namespace.
def test_connections_beyond_the_accept_queue_are_counted(start_child, view):
    collector, child = TcpStatisticsCollector(), start_child()
    before = collector.collect(view(child.pid))
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        clients = []
        for _ in range(6):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            clients.append(client)
        after = collector.collect(view(child.pid))
        for client in clients:
            client.close()

    assert after.counters["listen_overflows"] > before.counters["listen_overflows"]
    assert after.counters["listen_drops"] > before.counters["listen_drops"]
    # listen(1) admits two connections, and each has its two ends here.
    assert after.gauges["sockets_established"] - before.gauges["sockets_established"] >= 4
