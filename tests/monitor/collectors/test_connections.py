"""The census against connections that a real child holds."""

import shutil
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace

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


RELAY = """
import socket
front, inner = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in "12"]
held = []
def relay(n):
    for _ in range(n):
        held.extend((front.accept()[0], socket.create_connection(inner.getsockname()), inner.accept()[0]))
def dial(port, n):
    held.extend(socket.create_connection(("127.0.0.1", port)) for _ in range(n))
print(front.getsockname()[1], inner.getsockname()[1])
"""


def test_what_the_target_passes_on_to_itself_is_counted_once(collector, start_child, clients, view):
    child = start_child(RELAY)
    front = int(child.said[0].split()[0])
    clients("127.0.0.1", front, 30)
    child.do("relay(30)")
    within = collector.collect(view(child.pid)).used
    clients("127.0.0.1", front, 5)

    assert within == {Resource.APPLICATION_CONNECTIONS: 30}
    assert collector.collect(view(child.pid)).used == {Resource.APPLICATION_CONNECTIONS: 35}


def test_a_client_of_the_inner_port_is_one_of_the_targets(collector, start_child, clients, view):
    child = start_child(RELAY)
    clients("127.0.0.1", int(child.said[0].split()[1]), 7)

    assert collector.collect(view(child.pid)).used == {Resource.APPLICATION_CONNECTIONS: 7}


def test_a_connection_of_the_target_to_another_program_takes_nothing_off(
    collector, start_child, clients, view
):
    child = start_child(RELAY)
    clients("127.0.0.1", int(child.said[0].split()[0]), 9)
    with socket.create_server(("127.0.0.1", 0)) as other:
        child.do(f"dial({other.getsockname()[1]}, 4)")

        assert collector.collect(view(child.pid)).used == {Resource.APPLICATION_CONNECTIONS: 9}


def queue_of(reading):
    return {name: value for name, value in reading.gauges.items() if name.startswith("accept")}


def test_the_fullest_accept_queue_is_shown_with_its_limit(collector, served, clients, view):
    child, (first, second) = served
    empty = queue_of(collector.collect(view(child.pid)))
    clients("127.0.0.1", first, 20)
    clients("::1", second, 18)
    full = queue_of(collector.collect(view(child.pid)))

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
    reading = collector.collect(view(child.pid))

    assert reading.gauges["application_connections_interval_s"] > 1000
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


ONE = """
import socket
server = socket.create_server(({!r}, 0), family={}, backlog=2000, dualstack_ipv6={})
print(server.getsockname()[1])
held = []
def take(n): held.extend(server.accept()[0] for _ in range(n))
"""
CONNECT = """
import socket
held = []
def connect(host, port, n): held.extend(socket.create_connection((host, port)) for _ in range(n))
"""
KINDS = {
    "IPv4": ("127.0.0.1", int(socket.AF_INET), False, "127.0.0.1"),
    "IPv6": ("::1", int(socket.AF_INET6), False, "::1"),
    "dual-stack": ("::", int(socket.AF_INET6), True, "127.0.0.1"),
}


def established(pid, port):
    """Return what ss counts at the target's end."""
    if not (shutil.which("ss") and shutil.which("nsenter")):
        pytest.skip("ss and nsenter are needed to count by other means")
    command = [*inside(pid), "ss", "-Htnp", "state", "established", f"sport = :{port}"]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    # Of another family, a client of somebody else's may have the same port.
    return sum(f"pid={pid}," in line for line in told.splitlines())


def inside(pid):
    return "nsenter", f"--net=/proc/{pid}/ns/net"


@pytest.mark.parametrize("count", [0, 1000])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_the_census_is_what_was_opened_and_what_ss_says(
    collector, start_child, start_elsewhere, run_there, view, where, kind, count
):
    host, family, is_dual, address = KINDS[kind]
    if where == "here":
        target = start_child(ONE.format(host, family, is_dual))
        client = start_child(CONNECT)
    else:
        target = start_elsewhere(CONNECT)
        run_there(target.pid, "ip link set lo up")
        client = start_child(CONNECT, inside(target.pid))
        target.end()
        target = start_child(ONE.format(host, family, is_dual), inside(client.pid))
    (port,) = target.said
    client.do(f"connect({address!r}, {port}, {count})")
    target.do(f"take({count})")
    held = sum(link.readlink() != Path() for link in Path(f"/proc/{target.pid}/fd").iterdir())
    used = collector.collect(view(target.pid)).used

    assert used == {Resource.APPLICATION_CONNECTIONS: count}
    assert established(target.pid, port) == count
    # Beside the connections: three standard streams and the listener.
    assert held == count + 4


def test_what_the_targets_connections_sent_is_counted_from_its_first_reading_on(
    collector, served, clients, view
):
    child, (first, _second) = served
    clients("127.0.0.1", first, 3)
    child.do("take(0, 3)")
    child.do("[each.sendall(b'x') for each in held]")
    begun = collector.collect(view(child.pid)).counters
    child.do("[each.sendall(b'x') for each in held[:2]]")
    later = collector.collect(view(child.pid)).counters

    assert (0.0, 0.0) == (begun["target_segments_sent"], begun["target_retransmits"])
    assert (2.0, 0.0) == (later["target_segments_sent"], later["target_retransmits"])


def test_what_is_sent_and_what_is_sent_again_add_up_from_the_first_reading_on(monkeypatch):
    monkeypatch.setattr(module, "_CENSUS_S", 0.0)
    monkeypatch.setattr(module, "_CENSUS_COST_RATIO", 1e9)
    counts = iter([(10, 1), (5, 0), (30, 4), (5, 0), (35, 9), (5, 0)])
    table = SimpleNamespace(sent=lambda _family, _ports: next(counts))
    sent = module._Sent()
    found = [list(sent.read(1.0, table, []).values()) for _ in range(3)]

    assert [[0.0, 0.0], [20.0, 3.0], [25.0, 8.0]] == found


def test_a_census_comes_every_two_seconds_or_takes_a_five_hundredth_of_a_core(listeners):
    collector = ConnectionsCollector(listeners)

    assert [(2.0, 0.002)] * 2 == [
        (pace.interval_s, pace._cost_ratio) for pace in (collector._pace, collector._sent._pace)
    ]


def test_the_fullest_queue_is_the_one_with_least_room_and_then_the_shortest():
    def fullness(queue, limit):
        return module._fullness(SimpleNamespace(accept_queue=queue, accept_queue_limit=limit))

    assert fullness(5, 10) > fullness(8, 20)
    assert fullness(0, 10) > fullness(0, 20)
    assert fullness(3, 0) == (3.0, -1)


def test_what_another_start_of_the_target_sent_is_counted_anew(monkeypatch):
    counts = iter([(10, 1), (5, 0), (3, 1), (1, 0)])
    table = SimpleNamespace(sent=lambda _family, _ports: next(counts))
    sent = module._Sent()
    first, again, other = (sent.read(started_at, table, []) for started_at in (1.0, 1.0, 2.0))

    assert [[0.0, 0.0]] * 3 == [list(each.values()) for each in (first, again, other)]
    assert first is again
