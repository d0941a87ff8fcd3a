"""Listeners of real children, among others' on the same host."""

import socket
from types import SimpleNamespace

import pytest

from capacity.monitor.host import listeners as module

START = "import os, socket; servers = []"
LISTEN = "s = socket.create_server(({!r}, 0)); servers.append(s); print(s.getsockname()[1])"


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(module, "_SCAN_COST_RATIO", 1e9)


def ports(listeners, view):
    return sorted(entry.port for entry in listeners.read(view))


def test_only_the_targets_own_listeners_are_returned(start_child, view, listeners, hasty):
    child, other = start_child(START), start_child(START)
    other.do(LISTEN.format("127.0.0.1"))
    mine = sorted(int(child.do(LISTEN.format("127.0.0.1"))[0]) for _ in range(2))
    with socket.create_server(("127.0.0.1", 0)):
        assert ports(listeners, view(child.pid)) == mine


def test_a_listener_that_opens_later_is_found_and_a_closed_one_is_dropped(
    start_child, view, listeners, hasty
):
    child = start_child(START)
    empty = ports(listeners, view(child.pid))
    port = int(child.do(LISTEN.format("127.0.0.1"))[0])
    opened = ports(listeners, view(child.pid))
    child.do("servers.pop().close(); del s")

    assert (empty, opened, ports(listeners, view(child.pid))) == ([], [port], [])
    assert listeners.ports == ()


def test_where_it_listens_is_not_known_before_it_was_read(start_child, view, listeners, hasty):
    child = start_child(f"import socket; servers = []; {LISTEN.format('127.0.0.1')}")
    unread = listeners.ports
    listeners.read(view(child.pid))

    assert (unread, listeners.ports) == (None, (int(child.said[0]),))


def test_known_listeners_cost_no_second_look(start_child, view, listeners, hasty, monkeypatch):
    child = start_child(START)
    port = int(child.do(LISTEN.format("127.0.0.1"))[0])
    ports(listeners, view(child.pid))
    monkeypatch.delattr(module, "held_sockets")  # Looking again would raise.

    assert ports(listeners, view(child.pid)) == [port]


def test_a_listener_of_a_worker_found_later_is_recognized(start_child, view, listeners, hasty):
    child = start_child(START)
    worker = start_child(START)
    port = int(worker.do(LISTEN.format("127.0.0.1"))[0])
    before = ports(listeners, view(child.pid))

    assert (before, ports(listeners, view(child.pid, worker.pid))) == ([], [port])


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [([], False), (["127.0.0.1"], True), (["127.0.0.1", "::1"], True), (["127.0.0.1", ""], False)],
)
def test_loopback_only_means_that_no_listener_can_be_reached(
    start_child, view, listeners, hosts, expected
):
    child = start_child(START)
    for host in hosts:
        family = "socket.AF_INET6" if ":" in host else "socket.AF_INET"
        child.do(f"servers.append(socket.create_server(({host!r}, 0), family={family}))")
    listeners.read(view(child.pid))

    assert listeners.is_loopback_only is expected


def test_a_restart_starts_from_nothing(start_child, view, listeners, hasty):
    child = start_child(START)
    port = int(child.do(LISTEN.format("127.0.0.1"))[0])
    listeners.read(view(child.pid, started_at=1.0))

    assert ports(listeners, view(child.pid, started_at=2.0)) == [port]


def test_descriptors_that_may_not_be_seen_are_no_absence_of_listeners(
    start_child, view, listeners, hasty, monkeypatch
):
    def forbidden(pid, proc):
        raise PermissionError(13, "denied", f"{proc}/{pid}/fd")

    child = start_child(START)
    child.do(LISTEN.format("127.0.0.1"))
    # Root may see everything: refusal has to be played.
    monkeypatch.setattr(module, "held_sockets", forbidden)
    with pytest.raises(PermissionError):
        listeners.read(view(child.pid))


def test_a_process_that_ended_meanwhile_holds_nothing(start_child, view, listeners, hasty):
    child = start_child(START)
    gone = view(child.pid)
    listeners.table(gone)
    child.end()

    assert listeners.read(gone) == []


@pytest.mark.parametrize(("after_s", "is_found"), [(4.9, False), (5.1, True)])
def test_a_look_that_took_5_ms_of_the_processor_is_followed_by_a_pause_of_5_s(
    start_child, view, listeners, monkeypatch, after_s, is_found
):
    child = start_child(START)
    now_s, worked_s = [1000.0], iter([70.0, 70.005, 80.0, 80.005])
    clock = SimpleNamespace(monotonic=lambda: now_s[0], thread_time=lambda: next(worked_s))
    monkeypatch.setattr(module, "time", clock)
    first = int(child.do(LISTEN.format("127.0.0.1"))[0])
    before = ports(listeners, view(child.pid))
    later = int(child.do(LISTEN.format("127.0.0.1"))[0])
    now_s[0] += after_s

    assert [first] == before
    assert is_found == (later in ports(listeners, view(child.pid)))
