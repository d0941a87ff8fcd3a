"""A worker obeys its master's messages and reports what it counted under the stage it belongs to."""

from locust.env import Environment
from locust.event import Events

import gc
import os
import runpy
import time
import weakref
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
from gevent import monkey

from capacity.domain.errors import ProtocolError
from capacity.loadgen.checks.worker_identity import PROGRAM
from capacity.loadgen.client import worker as worker_module
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import (
    Worker,
    clients_of,
    clients_or_leave,
    clients_or_none,
)
from capacity.loadgen.protocol import messages
from capacity.loadgen.protocol.counters import COUNTS

SMALL = runpy.run_path(str(Path(__file__).parents[1] / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]
BTC = SMALL["BTC"]


class Member(Subscriber):
    weight = 1


@pytest.fixture
def environment():
    environment = Environment(user_classes=[Member], events=Events())
    runner = environment.create_local_runner()
    yield environment
    runner.quit()
    runner.send_message(messages.END)


@pytest.fixture
def worker(environment):
    return Worker(environment)


@pytest.fixture
def reports(environment):
    reports = []
    environment.runner.register_message(messages.COUNTS, lambda msg, **_: reports.append(msg.data))
    return reports


@pytest.fixture
def say(environment, worker, target):
    """Say to the worker what a master would."""

    def message(kind, **stage):
        body = {
            messages.BEGIN: lambda: orders_for(target.port),
            messages.STAGE: lambda: stage_of(**stage),
            messages.END: lambda: None,
        }[kind]()
        environment.runner.send_message(kind, body)

    return message


def tags(reports):
    return [(report["index"], report["phase"], report["is_final"]) for report in reports]


def test_users_find_the_fleet_of_the_run(worker, environment, say):
    say(messages.BEGIN)

    assert worker.clients is clients_of(environment)


def test_without_a_run_there_is_no_fleet(worker, environment, say, monkeypatch):
    monkeypatch.setattr(worker_module, "INSTRUCTIONS_TIMEOUT_S", 0.1)
    say(messages.BEGIN)
    say(messages.END)
    with pytest.raises(ProtocolError, match="let the load profile start them"):
        clients_of(environment)
    with pytest.raises(ProtocolError):
        clients_of(Environment(events=Events()))


def test_users_that_start_before_the_orders_are_there_wait_for_them(worker, environment, say):
    early = gevent.spawn(clients_of, environment)
    gevent.sleep(0.2)
    was_waiting = not early.ready()
    say(messages.BEGIN)

    assert was_waiting
    assert worker.clients is early.get(timeout=1)


def test_asked_who_it_is_it_tries_the_way_to_the_target_and_tells_the_time(
    worker, environment, target
):
    before_at = time.time()
    heard = []
    environment.runner.register_message(messages.PRESENT, lambda msg, **_: heard.append(msg.data))
    orders = orders_for(target.port, source_addresses=["127.0.0.5", "192.0.2.1"])
    question = {key: orders[key] for key in ("target", "dialect")}
    for asked in (question, None):
        body = {"program": PROGRAM, "asked_at": 12.5, "question": asked}
        environment.runner.send_message(messages.CHECK_IN, body)
    wait_until(lambda: target.arrived_s)
    who, when = heard

    assert [PROGRAM, PROGRAM] == [who["program"], when["program"]]
    assert (["127.0.0.5"], None) == (list(who["identity"]["addresses"]), who["identity"]["trouble"])
    assert (None, 12.5) == (when["identity"], when["asked_at"])
    assert before_at <= when["now"] <= time.time()


def test_its_connections_leave_from_those_source_addresses_that_are_its_own(
    worker, environment, target
):
    environment.runner.send_message(
        messages.BEGIN, orders_for(target.port, source_addresses=["192.0.2.1", "127.0.0.5"])
    )
    environment.runner.send_message(messages.STAGE, stage_of())
    environment.runner.start(1, spawn_rate=1)
    wait_until(lambda: target.open_clients)

    assert "127.0.0.5" == target.open_clients[0].socket.getpeername()[0]
    assert {} == worker.clients.counters.failures


def test_a_stage_closes_the_report_of_the_one_before(say, worker, reports):
    say(messages.BEGIN)
    say(messages.STAGE, index=0, phase="ramp")
    worker.clients.counters.deliveries += 3
    say(messages.STAGE, index=0, phase="plateau")
    worker.clients.counters.deliveries += 5
    say(messages.STAGE, index=1, phase="ramp")
    say(messages.END)

    assert [
        (-1, "idle", True),
        (0, "ramp", True),
        (0, "plateau", True),
        (1, "ramp", True),
    ] == tags(reports)
    assert [0, 3, 5, 0] == [report["deliveries"] for report in reports]


def test_a_running_worker_reports_twice_a_second_and_never_finally(say, reports):
    say(messages.BEGIN)
    say(messages.STAGE, index=2, phase="plateau")
    gevent.sleep(1.3)
    regular = tags(reports[1:])
    seconds = sum(report["seconds"] for report in reports[1:])

    assert [(2, "plateau", False)] * 2 == regular
    assert pytest.approx(1.0, abs=0.2) == seconds


def test_every_delivery_is_reported_once_under_the_stage_it_came_in(
    say, worker, reports, target, environment
):
    say(messages.BEGIN)
    say(messages.STAGE, index=0, phase="ramp")
    environment.runner.start(1, spawn_rate=1)
    wait_until(lambda: target.clients and len(target.clients[0].channels) == 2)
    for index, published in enumerate((4, 7, 2)):
        say(messages.STAGE, index=index, phase="plateau")
        for _ in range(published):
            target.clients[0].publish(BTC)
        expected = 4 + 7 * (index > 0) + 2 * (index > 1)
        wait_until(
            lambda due=expected: (
                worker.clients.counters.deliveries + sum(report["deliveries"] for report in reports)
                == due
            )
        )
    say(messages.END)
    by_stage = {
        index: sum(
            report["deliveries"]
            for report in reports
            if (report["index"], report["phase"]) == (index, "plateau")
        )
        for index in range(3)
    }

    assert {0: 4, 1: 7, 2: 2} == by_stage


def test_what_waited_in_a_socket_when_the_stage_changed_is_of_the_stage_before(
    say, worker, reports, target, environment
):
    say(messages.BEGIN)
    say(messages.STAGE, index=0, phase="settle")
    environment.runner.start(1, spawn_rate=1)
    wait_until(lambda: worker.clients.counters.connects == 1)
    [slot] = worker.clients.slots.values()
    wait_until(lambda: slot._conversation.live)  # Else it is the answer that waits.
    target.clients[0].publish(BTC)
    [fd] = worker.clients.connections._by_fd
    arrived = monkey.get_original("select", "select")([fd], [], [], 30)[0]  # The hub does not look.
    say(messages.STAGE, index=0, phase="plateau")

    assert [fd] == arrived
    assert 1 == sum(report["deliveries"] for report in reports if report["phase"] == "settle")
    assert 0 == worker.clients.counters.deliveries


def test_a_report_carries_the_gauges_of_its_moment(say, worker, reports, environment):
    say(messages.BEGIN)
    say(messages.STAGE)
    environment.runner.start(3, spawn_rate=100)
    wait_until(lambda: len(worker.clients.connections) == 3)
    say(messages.STAGE, phase="plateau")
    gauges = reports[-1]["gauges"]

    assert (3, 3, os.getpid()) == (gauges["open_connections"], gauges["users"], gauges["pid"])
    assert 0 < gauges["descriptors_ratio"] < 1
    assert gauges["cpu_ratio"] > 0
    assert set(COUNTS) <= set(reports[-1])


def test_deliveries_appear_in_locusts_own_statistics(say, worker, environment, reports):
    say(messages.BEGIN)
    say(messages.STAGE)
    worker.clients.counters.deliveries += 2
    worker.clients.counters.delivered_bytes += 200
    worker.clients.counters.delivery_delay += [1000, 3000]
    say(messages.END)

    assert 2 == environment.stats.get("delivery", "WS").num_requests


def test_the_end_closes_the_connections_and_nothing_is_reported_after_it(
    say, worker, reports, environment, target
):
    say(messages.BEGIN)
    say(messages.STAGE)
    environment.runner.start(2, spawn_rate=100)
    wait_until(lambda: len(target.open_clients) == len(worker.clients.connections) == 2)
    say(messages.END)
    reported = len(reports)
    wait_until(lambda: not target.open_clients)
    gevent.sleep(0.7)

    assert (None, reported) == (worker.clients, len(reports))
    assert (True, 2) == (reports[-1]["is_final"], reports[-1]["gauges"]["open_connections"])


def test_a_report_that_falls_due_together_with_the_end_is_not_made(worker, reports):
    with gevent.Timeout(30):
        worker._report_forever()

    assert [] == reports


def test_on_plateaus_only_what_came_since_they_settled_is_searched_for_garbage(say):
    say(messages.BEGIN)
    say(messages.STAGE, phase="ramp")
    on_the_ramp = gc.get_freeze_count()
    say(messages.STAGE, phase="settle")
    on_the_plateau = gc.get_freeze_count()
    say(messages.END)

    assert on_the_ramp == gc.get_freeze_count() == 0
    assert on_the_plateau > 10_000


def test_users_that_left_since_a_plateau_are_gone_with_the_next_one(say, environment):
    say(messages.BEGIN)
    say(messages.STAGE, phase="ramp")
    environment.runner.spawn_users({"Member": 3})
    left = [weakref.ref(greenlet.args[0]) for greenlet in environment.runner.user_greenlets]
    say(messages.STAGE, phase="settle")
    environment.runner.stop_users({"Member": 3})
    say(messages.STAGE, index=1, phase="ramp")
    wait_until(lambda: not environment.runner.user_greenlets)
    gevent.sleep(0.05)  # Whoever told of their end lets go of them.
    say(messages.STAGE, index=1, phase="settle")

    assert [None] * 3 == [user() for user in left]


def test_a_second_end_is_harmless(say, reports):
    say(messages.BEGIN)
    say(messages.END)
    say(messages.END)

    assert 1 == len(reports)


def test_a_stage_of_a_run_that_the_worker_did_not_see_begin_is_ignored(say, worker, reports):
    say(messages.STAGE, index=4)

    assert (None, []) == (worker.clients, reports)


def test_a_new_run_replaces_one_whose_end_was_not_heard(say, worker, reports, environment, target):
    say(messages.BEGIN)
    say(messages.STAGE, index=5)
    first = worker.clients
    environment.runner.send_message(messages.BEGIN, orders_of_run(target, "next"))
    environment.runner.send_message(messages.STAGE, {**stage_of(index=0), "run": "next"})

    assert first.is_over
    assert not worker.clients.is_over
    assert (-1, "idle", True) == tags(reports)[-1]


def orders_of_run(target, run):
    return {**orders_for(target.port), "run": run}


def test_orders_that_come_twice_leave_the_connections_of_the_run_alone(worker, environment, target):
    clients = []
    for run in ("a", "a", "b"):
        environment.runner.send_message(messages.BEGIN, orders_of_run(target, run))
        clients.append(worker.clients)

    assert clients[0] is clients[1] is not clients[2]


def test_a_stage_that_was_overtaken_or_is_of_another_run_is_not_obeyed(
    worker, environment, target, reports
):
    environment.runner.send_message(messages.BEGIN, orders_of_run(target, "a"))
    for run, number, index in (("a", 2, 5), ("a", 1, 4), ("a", 2, 6), ("b", 3, 7)):
        told = {**stage_of(index=index), "run": run, "number": number}
        environment.runner.send_message(messages.STAGE, told)

    assert 5 == worker.clients.counters.index
    assert [("a", 1)] == [(report["run"], report["number"]) for report in reports]


def test_a_phase_that_goes_on_at_another_pace_is_not_over(say, reports):
    say(messages.BEGIN)
    for _ in range(2):
        say(messages.STAGE, index=0, phase="ramp")
    say(messages.STAGE, index=0, phase="settle")

    assert [False, True] == [report["is_final"] for report in reports[1:]]


def test_the_end_of_another_run_ends_nothing(worker, environment, target):
    environment.runner.send_message(messages.BEGIN, orders_of_run(target, "a"))
    environment.runner.send_message(messages.END, "b")
    is_on = worker.clients is not None
    environment.runner.send_message(messages.END, "a")

    assert (True, None) == (is_on, worker.clients)


def test_a_worker_that_was_not_told_the_end_ends_with_its_users(worker, environment, say, reports):
    say(messages.BEGIN)
    environment.events.test_stopping.fire(environment=environment)

    assert worker.clients is None
    assert [True] == [report["is_final"] for report in reports]


def test_who_finds_no_run_is_told_so_and_leaves(environment, monkeypatch, caplog):
    monkeypatch.setattr(worker_module, "INSTRUCTIONS_TIMEOUT_S", 0.1)
    user = SimpleNamespace(environment=environment)

    assert clients_or_none(user) is None
    with pytest.raises(gevent.GreenletExit):
        clients_or_leave(user)
    assert 2 == caplog.text.count("users started without a run")


def test_who_finds_a_run_is_given_its_clients(worker, environment, say):
    say(messages.BEGIN)
    user = SimpleNamespace(environment=environment)

    assert worker.clients is clients_or_none(user) is clients_or_leave(user)
