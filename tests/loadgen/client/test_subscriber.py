"""Locust's own runner starts real subscribers against a target on a real socket."""

from locust.env import Environment
from locust.event import Events

import random
import re
import runpy
import time
from itertools import pairwise
from pathlib import Path

import gevent
import pytest
import requests

from capacity.domain.errors import ProtocolError
from capacity.loadgen.client.arrivals.connect_pacer import ConnectPacer
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages
from capacity.workload.reconnect import ReconnectPolicy

SMALL = runpy.run_path(str(Path(__file__).parents[1] / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]


class Member(Subscriber):
    weight = 1
    reconnect = ReconnectPolicy(policy="exponential", base_s=0.1, factor=2.0, cap_s=2.0)


@pytest.fixture
def reports():
    return []


@pytest.fixture
def environment(reports):
    environment = Environment(user_classes=[Member], events=Events())
    runner = environment.create_local_runner()
    runner.register_message(messages.COUNTS, lambda msg, **_: reports.append(msg.data))
    yield environment
    runner.quit()
    runner.send_message(messages.END)


@pytest.fixture
def begin(environment, target):
    """Begin a run with that many users; return its clients."""

    def begin_run(users=1, stage=None, port=None, **orders):
        worker = Worker(environment)
        orders = orders_for(port or target.port, **orders)
        environment.runner.send_message(messages.BEGIN, orders)
        environment.runner.send_message(messages.STAGE, stage or stage_of())
        environment.runner.start(users, spawn_rate=100)
        return worker.clients

    return begin_run


@pytest.fixture
def total(environment, reports):
    """End the run; return how much was counted in all under a name."""

    def total_of(name):
        environment.runner.send_message(messages.END)
        return sum(report[name] for report in reports)

    return total_of


@pytest.fixture
def failed_connects(environment):
    failed = []
    environment.events.request.add_listener(
        lambda name, exception, **_: failed.append((name, str(exception))) if exception else None
    )
    return failed


@pytest.fixture
def user_errors(environment):
    errors = []
    environment.events.user_error.add_listener(lambda exception, **_: errors.append(exception))
    return errors


def test_users_open_and_hold_their_connections(begin, target, environment, user_errors):
    begin(users=5)
    wait_until(lambda: len(target.open_clients) == 5)
    wait_until(lambda: all(len(client.channels) == 2 for client in target.clients))
    gevent.sleep(0.2)

    assert (5, []) == (len(target.arrived_s), user_errors)
    assert 5 == environment.stats.get("connect", "WS").num_requests


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


def test_a_user_may_own_several_connections(begin, target):
    begin(users=2, connections_per_user=3)
    wait_until(lambda: len(target.open_clients) == 6)

    assert 6 == len(target.arrived_s)


@pytest.fixture
def turns_s(monkeypatch):
    """Return the turns that the connect_pacer gives out, none of which anybody comes before."""
    given_s, real = [], ConnectPacer.wait

    def wait(connect_pacer):
        # As `wait` takes it; there is no switch to another greenlet before that.
        given_s.append(max(time.monotonic(), connect_pacer._next_s))
        real(connect_pacer)

    monkeypatch.setattr(ConnectPacer, "wait", wait)
    return given_s


def nobody_is_early(target, turns_s):
    # Handshakes begin in the order of the turns; the clocks of loop and timers resolve 1 ms.
    return all(
        arrived_s > turn_s - 0.002
        for arrived_s, turn_s in zip(target.arrived_s, turns_s, strict=True)
    )


def test_arrivals_keep_to_the_stages_rate(begin, target, turns_s):
    begin(users=21, stage=stage_of(connects_per_s=50.0))
    wait_until(lambda: len(target.arrived_s) == 21)

    # All come in one burst of Locust's, or a little later.
    assert turns_s[-1] - turns_s[0] >= 20 / 50 - 0.001
    assert nobody_is_early(target, turns_s)


def test_slow_handshakes_delay_no_other_arrivals(begin, target, turns_s):
    target.handshake_s = 60.0
    begin(users=2, connections_per_user=15, stage=stage_of(connects_per_s=50.0))
    wait_until(lambda: len(target.arrived_s) == 30)

    assert [] == target.clients  # Not one of them is through its handshake.
    assert nobody_is_early(target, turns_s)


def test_a_profile_may_have_connections_arrive_as_a_poisson_process(begin, target, turns_s):
    random.seed(3)
    clients = begin(users=30, stage=stage_of(connects_per_s=100.0), arrivals="poisson")
    wait_until(lambda: len(target.arrived_s) == 30)

    assert "poisson" == clients.connect_pacer._arrivals
    assert nobody_is_early(target, turns_s)


def test_users_that_are_stopped_while_they_connect_leave_nothing_behind(
    begin, target, environment, total
):
    target.handshake_s = 0.3
    clients = begin(users=2, connections_per_user=5)
    wait_until(lambda: len(target.arrived_s) == 10)
    environment.runner.stop()
    gevent.sleep(0.5)

    assert (0, []) == (len(clients.connections), target.open_clients)
    assert (0, 0) == (total("connects"), total("lost"))


def test_users_hold_their_connections_without_a_greenlet_that_runs(begin, target, environment):
    begin(users=3)
    wait_until(lambda: len(target.open_clients) == 3)
    wait_until(lambda: all(user._opener is None for user in users_of(environment)))

    assert 3 == environment.runner.user_count == len(users_of(environment))
    assert [False] * 3 == [bool(greenlet) for greenlet in environment.runner.user_greenlets]


def users_of(environment):
    """Return the users as Locust finds them."""
    return [greenlet.args[0] for greenlet in environment.runner.user_greenlets]


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


def test_stopped_users_leave_with_a_goodbye(begin, target, environment, total):
    begin(users=3)
    wait_until(lambda: len(target.open_clients) == 3)
    gevent.sleep(0.3)  # An answer left unread would turn the goodbye into a reset.
    environment.runner.stop()
    wait_until(lambda: not target.open_clients)

    assert [True] * 3 == [client.said_goodbye for client in target.clients]
    assert 0 == total("lost")


def test_nothing_is_opened_once_the_run_is_over(begin, target, environment, user_errors):
    target.status = 503
    begin(users=5)
    wait_until(lambda: len(target.arrived_s) >= 5)
    environment.runner.send_message(messages.END)
    gevent.sleep(0.1)
    target.status, arrived = 101, len(target.arrived_s)
    gevent.sleep(0.6)

    assert (arrived, []) == (len(target.arrived_s), user_errors)


def test_users_started_without_a_run_are_told_so(environment, user_errors, monkeypatch):
    monkeypatch.setattr("capacity.loadgen.client.worker.INSTRUCTIONS_TIMEOUT_S", 0.1)
    worker = Worker(environment)
    environment.runner.start(1, spawn_rate=1)
    wait_until(lambda: user_errors)

    assert worker.clients is None
    assert isinstance(user_errors[0], ProtocolError)


def test_deliveries_of_the_bundled_exchange_are_counted(begin, exchange, reports, total):
    begin(users=4, port=exchange.port, stage=stage_of(subscriptions=3))
    wait_until(lambda: sum(report["deliveries"] for report in reports) >= 60)

    assert [0, 0, 0, 0] == [total(name) for name in ("unmatched", "gaps", "untimed", "lost")]
    assert [] == [report["failures"] for report in reports if report["failures"]]


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


def test_the_documented_class_of_ones_own_adds_its_behaviour(target, monkeypatch):
    monkeypatch.setattr("capacity.loadgen.plugin.install", lambda: None)
    text = (Path(__file__).parents[3] / "docs" / "own-user.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 30
    written = {}
    exec(compile(code, "docs/own-user.md", "exec"), written)
    restless = written["RestlessSubscriber"]
    restless.stays_s = 0.05
    environment = Environment(user_classes=[restless], events=Events())
    runner = environment.create_local_runner()
    Worker(environment)
    runner.send_message(messages.BEGIN, orders_for(target.port))
    runner.send_message(messages.STAGE, stage_of())
    runner.start(2, spawn_rate=100)
    try:
        wait_until(lambda: len(target.clients) >= 6)
    finally:
        runner.quit()
        runner.send_message(messages.END)


def test_locust_is_told_of_a_connect_in_milliseconds(begin, target, environment):
    took_ms = []
    environment.events.request.add_listener(
        lambda response_time, **_: took_ms.append(response_time)
    )
    begin(users=1)
    wait_until(lambda: took_ms)

    # No handshake takes less than a hundredth of one.
    assert took_ms[0] > 0.01
