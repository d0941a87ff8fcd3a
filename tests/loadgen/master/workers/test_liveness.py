"""A real master with a worker, and real processes that end in every way."""

from locust import User, runners
from locust.env import Environment
from locust.event import Events

import os
import signal

import gevent
import gevent.os
import pytest
import zmq.green

from capacity.loadgen.master.workers import liveness
from capacity.loadgen.master.workers.liveness import Processes, be_patient, note_death, note_life

SILENT_S = 8

PATIENCE_S = 30
LEFT_OPEN = []
"""Sockets that Locust never closes: kept to the end of the process, as its own would be."""


class Member(User):
    pass


def wait_until(condition):
    with gevent.Timeout(PATIENCE_S):
        while not condition():
            gevent.sleep(0.01)


@pytest.fixture
def patient(monkeypatch):
    """As a master process is, with sockets that never look again by themselves otherwise."""
    monkeypatch.setattr(runners, "HEARTBEAT_LIVENESS", 3)
    monkeypatch.setattr(zmq.green.Socket, "_gevent_bug_timeout", 600.0)
    be_patient()


@pytest.fixture
def master(patient):
    environment = Environment(user_classes=[Member], events=Events())
    environment.create_master_runner("127.0.0.1", 0)
    server = environment.runner.server
    yield environment.runner
    environment.runner.quit()
    LEFT_OPEN.append(server)


@pytest.fixture
def worker(master):
    environment = Environment(user_classes=[Member], events=Events())
    runner = environment.create_worker_runner("127.0.0.1", master.server.port)
    wait_until(lambda: master.worker_count == 1)
    client = runner.client
    yield runner
    environment.events.quitting.fire(environment=environment, reverse=True)
    runner.quit()
    environment.runner = None
    LEFT_OPEN.append(client)


def test_a_wake_up_that_is_lost_costs_a_second_and_no_worker(master, worker):
    heard = []
    master.register_message("hello", lambda msg, **_: heard.append(msg.data))
    master.server.socket._state_event.stop()  # Nobody is told any more that messages are there.
    for number in range(3):
        worker.send_message("hello", number)
        gevent.sleep(0.3)
    wait_until(lambda: heard == [0, 1, 2])

    assert 1 == master.worker_count


def test_whatever_a_worker_sends_is_a_sign_of_life(master, worker):
    node = master.clients[worker.client_id]
    node.heartbeat = 0
    note_life(master, worker.client_id)

    assert SILENT_S == node.heartbeat
    note_life(master, "nobody")
    note_life(object(), "local")


def test_a_worker_whose_process_has_ended_is_missed_at_the_next_look(master, worker):
    node = master.clients[worker.client_id]
    note_death(master, worker.client_id)

    assert node.heartbeat < 0  # What Locust's next look, within a second, takes for missing.


@pytest.fixture
def child():
    """Return a process that gevent has forked and waits for, as it does for Locust's workers."""
    pid = gevent.os.fork_and_watch()
    if pid == 0:
        os.execv("/bin/sleep", ["sleep", "60"])
    yield pid
    if not isinstance(gevent.os._watched_children.get(pid), tuple):
        os.kill(pid, signal.SIGKILL)


def test_a_child_that_was_killed_is_told_by_its_signal_as_soon_as_it_has_ended(child):
    processes = Processes()
    processes.note("w", child)
    before = processes.has_ended("w")
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: processes.has_ended("w"))
    wait_until(lambda: isinstance(gevent.os._watched_children.get(child), tuple))

    assert not before
    assert (
        f"its process {child} ended by SIGKILL, last heard of 1.5 s before; this host's load"
        in (processes.how_lost("w", 1.5))
    )


def test_a_child_that_gave_up_is_told_by_its_status():
    pid = gevent.os.fork_and_watch()
    if pid == 0:
        os.execv("/bin/sh", ["sh", "-c", "sleep 0.3; exit 3"])
    processes = Processes()
    processes.note("w", pid)
    wait_until(lambda: isinstance(gevent.os._watched_children.get(pid), tuple))

    assert processes.has_ended("w")
    assert "ended with exit status 3" in processes.how_lost("w", None)


def test_a_child_that_lives_and_says_nothing_is_told_so(child):
    processes = Processes()
    processes.note("w", child)

    assert f"its process {child} is there and silent" in processes.how_lost("w", None)
    assert not processes.has_ended("w")


def test_the_load_of_the_host_is_told_beside_its_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.setattr(os, "getloadavg", lambda: (7.25, 1.0, 1.0))

    assert Processes().how_lost("far", None).endswith("this host's load was 7.2 on 6 cores")


def test_a_process_that_is_none_of_ours_is_nobody_that_could_have_ended():
    processes = Processes()
    processes.note("far", 1)

    assert not processes.has_ended("far")
    assert processes.how_lost("far", 9.0).startswith("it fell silent, last heard of 9.0 s before")


@pytest.mark.parametrize(("later", "is_told"), [(5, False), (6, True), (None, False)])
def test_what_was_killed_for_want_of_memory_is_said(child, monkeypatch, later, is_told):
    counts = iter([5, later])
    monkeypatch.setattr(liveness, "_out_of_memory_kills", lambda: next(counts))
    processes = Processes()
    processes.note("w", child)
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: processes.has_ended("w"))

    assert is_told == ("for want of memory" in processes.how_lost("w", None))
