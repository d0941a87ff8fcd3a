"""A worker obeys its master's messages and reports what it counted under the stage it belongs to."""

from locust.env import Environment
from locust.event import Events

import os
import runpy
import time
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
from gevent import monkey

from capacity.domain.errors import ProtocolError
from capacity.loadgen.checks.worker_identity import PROGRAM
from capacity.loadgen.client import worker as worker_module
from capacity.loadgen.client.worker import clients_of, clients_or_leave, clients_or_none
from capacity.loadgen.protocol import messages
from capacity.loadgen.protocol.counters import COUNTS

TOLD_WORKERS = runpy.run_path(str(Path(__file__).with_name("told_workers.py")))
SMALL = TOLD_WORKERS["SMALL"]
orders_for = TOLD_WORKERS["orders_for"]
stage_of = TOLD_WORKERS["stage_of"]
wait_until = TOLD_WORKERS["wait_until"]
environment = TOLD_WORKERS["environment"]
worker = TOLD_WORKERS["worker"]
reports = TOLD_WORKERS["reports"]
say = TOLD_WORKERS["say"]
tags = TOLD_WORKERS["tags"]
BTC = SMALL["BTC"]


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
    question = {"target": orders["target"], "dialects": [orders["dialect"]]}
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
