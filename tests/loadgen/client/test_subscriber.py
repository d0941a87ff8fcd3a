"""Locust's own runner starts real subscribers against a target on a real socket."""

from locust.env import Environment
from locust.event import Events

import random
import re
import runpy
import time
from pathlib import Path

import gevent
import pytest

from capacity.domain.errors import ProtocolError
from capacity.loadgen.client.arrivals.connect_pacer import ConnectPacer
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages

SUBSCRIBING = runpy.run_path(str(Path(__file__).with_name("subscribing.py")))
orders_for = SUBSCRIBING["orders_for"]
stage_of = SUBSCRIBING["stage_of"]
wait_until = SUBSCRIBING["wait_until"]
reports = SUBSCRIBING["reports"]
environment = SUBSCRIBING["environment"]
begin = SUBSCRIBING["begin"]
total = SUBSCRIBING["total"]


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
