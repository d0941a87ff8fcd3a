"""The census against connections that a real child holds."""

import socket

import pytest

from capacity.domain.resources import Resource
from capacity.monitor.collectors import connections as module
from capacity.monitor.collectors.connections import ConnectionsCollector

SERVE = """
import socket
servers = [socket.create_server((h, 0), family=f, backlog=b) for h, f, b in {}]
held = []
def take(i, n):
    held.extend(servers[i].accept()[0] for _ in range(n))
print(*[s.getsockname()[1] for s in servers])
"""
V4, V6 = ("127.0.0.1", int(socket.AF_INET), 64), ("::1", int(socket.AF_INET6), 50)


@pytest.fixture
def clients():
    opened = []

    def connect(host, port, count):
        opened.extend(socket.create_connection((host, port)) for _ in range(count))
        return opened

    yield connect
    for client in opened:
        client.close()


@pytest.fixture
def served(start_child):
    child = start_child(SERVE.format([V4, V6]))
    return child, [int(port) for port in child.said[0].split()]


@pytest.fixture
def collector(listeners, monkeypatch):
    monkeypatch.setattr(module, "_CENSUS_S", 0.0)
    monkeypatch.setattr(module, "_CENSUS_COST_RATIO", 1e9)
    return ConnectionsCollector(listeners)


def test_connections_of_all_listeners_and_families_are_counted(collector, served, clients, view):
    child, (first, second) = served
    clients("127.0.0.1", first, 30)
    clients("::1", second, 12)
    child.do("take(0, 30); take(1, 12)")

    assert collector.collect(view(child.pid)).used == {Resource.APPLICATION_CONNECTIONS: 42}


def test_others_connections_are_not_counted(collector, served, clients, view):
    child, _ = served
    with socket.create_server(("127.0.0.1", 0)) as other:
        clients("127.0.0.1", other.getsockname()[1], 9)

        assert collector.collect(view(child.pid)).used == {Resource.APPLICATION_CONNECTIONS: 0}


def test_the_fullest_accept_queue_is_shown_with_its_limit(collector, served, clients, view):
    child, (first, second) = served
    empty = collector.collect(view(child.pid)).gauges
    clients("127.0.0.1", first, 20)
    clients("::1", second, 18)
    full = collector.collect(view(child.pid)).gauges

    # Of two empty ones, the smaller; then 18 of 50 is fuller than 20 of 64.
    assert empty == {"accept_queue": 0, "accept_queue_limit": 50}
    assert full == {"accept_queue": 18, "accept_queue_limit": 50}


def test_closed_connections_leave_the_count(collector, served, clients, view, wait_until):
    child, (first, _) = served
    opened = clients("127.0.0.1", first, 10)
    child.do("take(0, 10)")
    before = collector.collect(view(child.pid)).used
    for client in opened[:4]:
        client.close()

    assert before == {Resource.APPLICATION_CONNECTIONS: 10}
    wait_until(
        lambda: collector.collect(view(child.pid)).used == {Resource.APPLICATION_CONNECTIONS: 6}
    )


def test_a_census_that_is_not_due_is_neither_used_nor_missing(listeners, served, view):
    collector = ConnectionsCollector(listeners)
    child, _ = served
    first, second = (collector.collect(view(child.pid)) for _ in range(2))

    assert Resource.APPLICATION_CONNECTIONS in first.used
    assert not second.used
    assert not second.missing
    assert second.gauges.keys() == {"accept_queue", "accept_queue_limit"}


def test_a_dear_census_is_taken_more_rarely(listeners, served, view, monkeypatch):
    monkeypatch.setattr(module, "_CENSUS_S", 0.0)
    monkeypatch.setattr(module, "_CENSUS_COST_RATIO", 1e-9)
    collector = ConnectionsCollector(listeners)
    child, _ = served
    collector.collect(view(child.pid))

    assert not collector.collect(view(child.pid)).used


def test_a_target_that_listens_nowhere_says_so(collector, start_child, view):
    reading = collector.collect(view(start_child().pid))

    assert not reading.used
    assert set(reading.missing) == set(ConnectionsCollector.provides)
    assert set(reading.missing.values()) == {"the target listens on no port"}


def test_the_applications_own_limit_is_not_ours_to_say(collector, served, view):
    child, _ = served

    assert list(collector.limits(view(child.pid))) == []
    assert collector.collect(view(child.pid)).limits == ()
