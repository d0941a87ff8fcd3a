"""Ports of connections to one destination, counted on real sockets; a namespace's own range."""

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors.outgoing_ports import OutgoingPortsCollector
from capacity.monitor.host.sock_diag import Outgoing

PROXY = """
import socket
server = socket.create_server(("127.0.0.1", 0), backlog=512)
held = []
def take(n):
    held.extend(server.accept()[0] for _ in range(n))
def dial(port, n):
    held.extend(socket.create_connection(("127.0.0.1", port)) for _ in range(n))
print(server.getsockname()[1])
"""
NEIGHBOUR = """
import socket
servers = [socket.create_server(("127.0.0.1", 0), backlog=512) for _ in "12"]
clients = []
def dial(port, n):
    clients.extend(socket.create_connection(("127.0.0.1", port)) for _ in range(n))
print(*[server.getsockname()[1] for server in servers])
"""


@pytest.fixture
def proxy(start_elsewhere, run_there):
    """A target alone in its network namespace: connections of others on this host do not count."""
    child = start_elsewhere(PROXY)
    run_there(child.pid, "ip link set lo up")
    return child, int(child.said[0])


@pytest.fixture
def neighbour(proxy, start_child):
    """Another process of that namespace: upstream of the target, and client of it."""
    child = start_child(NEIGHBOUR, ("nsenter", f"--net=/proc/{proxy[0].pid}/ns/net"))
    return child, [int(port) for port in child.said[0].split()]


@pytest.fixture
def read(listeners, view, proxy):
    def read():
        target = view(proxy[0].pid)
        listeners.read(target)
        reading = OutgoingPortsCollector(listeners).collect(target)
        return reading.used[Resource.OUTGOING_PORTS]

    return read


def test_the_destination_with_most_connections_counts(proxy, neighbour, read):
    (first, second) = neighbour[1]
    proxy[0].do(f"dial({first}, 31); dial({second}, 7)")

    assert read() == 31


def test_clients_of_the_target_take_none_at_either_end(proxy, neighbour, read):
    neighbour[0].do(f"dial({proxy[1]}, 40)")
    proxy[0].do(f"take(40); dial({neighbour[1][0]}, 3)")

    assert read() == 3


def test_what_the_target_passes_on_to_itself_takes_ports_too(proxy, read):
    child, port = proxy
    child.do(f"dial({port}, 12); take(12)")

    assert read() == 12


def test_the_limit_is_what_the_kernel_of_that_namespace_chooses_from(
    proxy, run_there, view, listeners
):
    run_there(proxy[0].pid, "sysctl -qw net.ipv4.ip_local_port_range='20000 20899'")
    (limit,) = OutgoingPortsCollector(listeners).limits(view(proxy[0].pid))

    # The target listens on another port: chosen before the range was narrowed, or within it.
    expected = 900 - (20_000 <= proxy[1] <= 20_899)
    assert (limit.state, limit.scope) == (LimitState.KNOWN, "namespace")
    assert limit.value == expected


def test_ports_that_somebody_listens_on_are_not_chosen(
    proxy, neighbour, run_there, view, listeners
):
    ports = sorted([proxy[1], *neighbour[1]])
    run_there(proxy[0].pid, f"sysctl -qw net.ipv4.ip_local_port_range='{ports[0]} {ports[-1]}'")
    (limit,) = OutgoingPortsCollector(listeners).limits(view(proxy[0].pid))

    assert limit.value == ports[-1] - ports[0] + 1 - 3


def test_connections_of_others_to_elsewhere_are_not_the_targets(proxy, neighbour, read):
    first, second = neighbour[1]
    neighbour[0].do(f"dial({first}, 60)")
    proxy[0].do(f"dial({second}, 5)")

    assert read() == 5


def test_without_known_listeners_nothing_is_counted(proxy, neighbour, view, listeners):
    proxy[0].do(f"dial({neighbour[1][0]}, 9)")
    reading = OutgoingPortsCollector(listeners).collect(view(proxy[0].pid))

    assert not reading.used
    assert "clients would be counted" in reading.missing[Resource.OUTGOING_PORTS]


def test_a_readings_share_of_a_core_is_bounded_by_its_pace(proxy, view, listeners):
    target = view(proxy[0].pid)
    listeners.read(target)
    collector = OutgoingPortsCollector(listeners)
    first, second = collector.collect(target), collector.collect(target)

    assert Resource.OUTGOING_PORTS in first.used
    assert not second.used


def test_ports_of_closed_connections_are_taken_while_the_kernel_keeps_them(
    proxy, neighbour, run_there, read
):
    run_there(proxy[0].pid, "sysctl -qw net.ipv4.tcp_tw_reuse=0")
    (upstream, _) = neighbour[1]
    proxy[0].do(f"dial({upstream}, 12); [held.pop(0).close() for _ in range(5)]")
    neighbour[0].do("[servers[0].accept()[0].close() for _ in range(5)]")

    assert read() == 12


def test_a_new_connection_takes_over_the_port_of_one_that_was_closed(
    proxy, neighbour, run_there, read
):
    run_there(proxy[0].pid, "sysctl -qw net.ipv4.tcp_tw_reuse=1")
    run_there(
        proxy[0].pid,
        "sysctl -qew net.ipv4.tcp_tw_reuse_delay=1",
    )
    (upstream, _) = neighbour[1]
    proxy[0].do(f"dial({upstream}, 12); [held.pop(0).close() for _ in range(5)]")
    neighbour[0].do(
        "[servers[0].accept()[0].close() for _ in range(5)]; import time; time.sleep(1.1)"
    )

    assert read() == 7


def test_a_reading_comes_every_two_seconds_or_takes_a_thousandth_of_a_core(listeners):
    collector = OutgoingPortsCollector(listeners)

    paces = collector._pace, collector._owners._search
    assert [(2.0, 0.001)] * 2 == [(pace.interval_s, pace._cost_ratio) for pace in paces]


def outgoing(connections, closed, inode):
    return Outgoing(connections=connections, closed=closed, inode=inode)


@pytest.mark.parametrize(
    ("pairs", "is_ours", "expected"),
    [
        ({"a": outgoing(3, 0, 1), "b": outgoing(2, 2, 2)}, {"a": True, "b": True}, 4),
        ({"a": outgoing(3, 0, 1), "b": outgoing(9, 0, 2)}, {"a": True, "b": False}, 3),
        ({"a": outgoing(3, 0, 1), "b": outgoing(0, 9, 0)}, {"a": True}, 3),
        ({"a": outgoing(3, 0, 1), "b": outgoing(9, 0, 2)}, {"a": True}, None),
        ({"a": outgoing(9, 0, 1), "b": outgoing(3, 0, 2)}, {"a": True}, 9),
        ({}, {}, 0),
    ],
    ids=["fullest", "another's", "nobody's", "not known yet", "known and fuller", "none"],
)
def test_the_fullest_pair_of_the_targets_own_counts(listeners, pairs, is_ours, expected):
    collector = OutgoingPortsCollector(listeners)
    collector._owners._is_ours = is_ours
    with collector._owners._search.reading():
        pass  # The next search is not due.
    found = collector._fullest(None, pairs)

    assert expected == (found and found.connections + found.closed)
