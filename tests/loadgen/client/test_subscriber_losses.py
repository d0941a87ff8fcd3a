"""Connections that are lost, refused or replaced: when they come back."""

import runpy
from itertools import pairwise
from pathlib import Path

import gevent
import pytest
import requests

from capacity.loadgen.protocol import messages
from capacity.workload.reconnect import ReconnectPolicy

SUBSCRIBING = runpy.run_path(str(Path(__file__).with_name("subscribing.py")))
SMALL = SUBSCRIBING["SMALL"]
stage_of = SUBSCRIBING["stage_of"]
wait_until = SUBSCRIBING["wait_until"]
Member = SUBSCRIBING["Member"]
reports = SUBSCRIBING["reports"]
environment = SUBSCRIBING["environment"]
begin = SUBSCRIBING["begin"]
total = SUBSCRIBING["total"]


@pytest.fixture
def failed_connects(environment):
    failed = []
    environment.events.request.add_listener(
        lambda name, exception, **_: failed.append((name, str(exception))) if exception else None
    )
    return failed


def test_a_connection_that_is_replaced_comes_back_at_once(begin, target, environment, monkeypatch):
    # Not after the delay that follows a loss: it would be longer than anybody waits here.
    monkeypatch.setattr(Member, "reconnect", ReconnectPolicy(policy="fixed", base_s=600.0))
    begin(users=3, stage=stage_of(churn_per_s=30.0, phase="plateau"))
    wait_until(lambda: len(target.clients) >= 9)

    assert 2 <= len(target.open_clients) <= 3
    wait_until(lambda: environment.stats.get("connect", "WS").num_requests >= 9)


def test_what_is_replaced_waits_for_nothing_and_what_was_lost_for_its_delay(
    environment, monkeypatch
):
    asked_s = []
    monkeypatch.setattr(gevent, "spawn_later", lambda delay_s, _deed: asked_s.append(delay_s))
    policy = ReconnectPolicy(policy="exponential", base_s=600.0, factor=2.0, cap_s=1200.0)
    monkeypatch.setattr(Member, "reconnect", policy)
    member = Member(environment)
    member._on_lost(at_once=True)
    member._on_lost()

    assert [0.0, 600.0] == asked_s


def test_a_dropped_connection_comes_back_after_a_delay(begin, target, total):
    begin()
    wait_until(lambda: target.open_clients)
    dropped_s = SMALL["time"].monotonic()
    target.clients[0].drop()
    wait_until(lambda: len(target.clients) == 2 and target.clients[1].channels)

    assert target.arrived_s[1] - dropped_s >= 0.1
    assert (1, 2) == (total("lost"), total("connects"))


def test_only_the_lost_one_of_several_connections_is_opened_anew(begin, target):
    begin(connections_per_user=3)
    wait_until(lambda: len(target.open_clients) == 3)
    target.clients[1].drop()
    wait_until(lambda: len(target.clients) == 4)

    assert [True, False, True, True] == [client.is_open for client in target.clients]


def test_failed_attempts_are_repeated_ever_more_slowly(begin, target, failed_connects):
    target.status = 503
    begin()
    wait_until(lambda: len(failed_connects) == 4)
    gaps_s = [after - before for before, after in pairwise(target.arrived_s)]

    assert all(wait_s <= gap_s for wait_s, gap_s in zip((0.1, 0.2, 0.4), gaps_s, strict=True))
    assert {("connect", "handshake_rejected_503")} == set(failed_connects)


def test_who_is_refused_keeps_the_wait_that_the_target_asks_for(
    begin, start_exchange, failed_connects
):
    venue = start_exchange("--max-connections-per-address=1")
    begin(users=2, port=venue.port)
    wait_until(lambda: failed_connects)
    gevent.sleep(1.0)  # By itself it would have tried again after 0.1, 0.3 and 0.7 s.

    assert [("connect", "handshake_rejected_429")] == failed_connects


def test_a_target_that_ends_every_connection_at_once_is_not_hammered(begin, target):
    target.is_dropping = True
    begin()
    gevent.sleep(1.0)
    arrived, target.is_dropping = len(target.arrived_s), False
    wait_until(lambda: target.open_clients)

    assert 2 <= arrived <= 11


def test_who_waits_out_a_refusal_takes_part_in_the_next_stage_at_once(
    begin, target, environment, failed_connects, monkeypatch
):
    monkeypatch.setattr(Member, "reconnect", ReconnectPolicy(policy="fixed", base_s=60.0))
    target.status = 503
    begin()
    wait_until(lambda: failed_connects)
    target.status = 101
    environment.runner.send_message(messages.STAGE, stage_of(index=1))
    wait_until(lambda: target.open_clients)

    assert 1 == len(failed_connects)


def test_a_loss_while_another_connection_is_opened_is_followed_by_a_delay(begin, target):
    target.is_dropping = True
    begin(connections_per_user=5, stage=stage_of(connects_per_s=100.0))
    gevent.sleep(1.0)
    arrived, target.is_dropping = len(target.arrived_s), False
    wait_until(lambda: len(target.open_clients) == 5)

    assert 10 <= arrived <= 5 * 8


def test_users_recover_when_the_target_admits_them_again(begin, target):
    target.status = 503
    begin(users=3)
    wait_until(lambda: len(target.arrived_s) >= 3)
    target.status = 101
    wait_until(lambda: len(target.open_clients) == 3)

    assert 3 == len(target.clients)


def order_fault(server, **fault):
    answer = requests.post(f"{server.url}/faults", json=fault, timeout=10)
    assert 200 == answer.status_code, answer.text


def test_gaps_that_the_exchange_makes_are_counted_one_by_one(begin, start_exchange, reports, total):
    # Each message has one trade: of a faster market one in a tenth of a second had several.
    server = start_exchange("--updates-per-s", "9", "--takes-faults")
    begin(users=2, port=server.port, channels=["book", "trades"], stage=stage_of(subscriptions=6))
    wait_until(lambda: sum(report["deliveries"] for report in reports) >= 30)
    # A predecessor that is missing is one gap; of numbers that rise by one each is told.
    order_fault(server, kind="skip", updates=1, channels="book.*")
    order_fault(server, kind="skip", updates=3, channels="trades.*")
    wait_until(lambda: sum(report["gaps"] for report in reports) >= 2 * 3 * (1 + 3))
    told = len(reports)
    wait_until(lambda: len(reports) > told + 1)

    assert 24 == requests.get(f"{server.url}/status", timeout=10).json()["withheld"]
    assert 24 == total("gaps")


def test_connections_that_the_exchange_lets_fall_silent_are_not_served(
    begin, start_exchange, environment, reports, total
):
    server = start_exchange("--updates-per-s", "20", "--takes-faults")
    begin(users=8, port=server.port, stage=stage_of(subscriptions=3))
    wait_until(lambda: sum(report["deliveries"] for report in reports) >= 60)
    order_fault(server, kind="half_open", share_ratio=0.25)
    order_fault(server, kind="stall", for_s=60, share_ratio=0.25)
    environment.runner.send_message(
        messages.STAGE, stage_of(subscriptions=3, index=1, phase="plateau", hold_s=2.0)
    )
    gevent.sleep(2.0)
    environment.runner.send_message(messages.STAGE, stage_of(index=2, phase="ramp"))
    wait_until(lambda: any(report.get("half_open") for report in reports))

    assert (2, 0) == (total("half_open"), total("lost"))
    assert 0 < total("unserved") <= 2
