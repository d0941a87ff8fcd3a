"""Ports of connections to one destination, counted on real sockets; a namespace's own range."""

import socket
from pathlib import Path

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors.outgoing_ports import OutgoingPortsCollector

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


@pytest.fixture
def upstreams():
    servers = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in "12"]
    yield [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()


@pytest.fixture
def proxy(start_child):
    child = start_child(PROXY)
    return child, int(child.said[0])


@pytest.fixture
def read(listeners, view, proxy):
    def read():
        target = view(proxy[0].pid)
        listeners.read(target)
        reading = OutgoingPortsCollector(listeners).collect(target)
        return reading.used[Resource.OUTGOING_PORTS]

    return read


def test_the_destination_with_most_connections_counts(proxy, upstreams, read):
    child, _port = proxy
    child.do(f"dial({upstreams[0]}, 60); dial({upstreams[1]}, 7)")

    assert read() == 60


def test_clients_of_the_target_take_none_at_either_end(proxy, upstreams, read):
    child, port = proxy
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
    child.do(f"take(400); dial({upstreams[0]}, 3)")
    counted = read()
    for client in clients:
        client.close()

    assert 3 <= counted < 400  # Others on this host may have some to another destination.


def test_the_limit_is_what_the_kernel_chooses_from(proxy, view, listeners):
    (limit,) = OutgoingPortsCollector(listeners).limits(view(proxy[0].pid))
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())

    assert (limit.state, limit.scope) == (LimitState.KNOWN, "namespace")
    assert limit.value <= high - low + 1


def test_a_readings_share_of_a_core_is_bounded_by_its_pace(proxy, view, listeners):
    target = view(proxy[0].pid)
    listeners.read(target)
    collector = OutgoingPortsCollector(listeners)
    first, second = collector.collect(target), collector.collect(target)

    assert Resource.OUTGOING_PORTS in first.used
    assert not second.used
