"""Pollers of Locust's own runner against a small HTTP server: its stalls and refusals are planted."""

from locust.env import Environment
from locust.event import Events

import math
import runpy
import socket
import time
from itertools import pairwise
from pathlib import Path

import gevent
import pytest
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from capacity.domain.histogram import Histogram, bucket_of
from capacity.loadgen import messages
from capacity.loadgen.poller import Poller, failure_of
from capacity.loadgen.worker import Worker

SMALL = runpy.run_path(str(Path(__file__).with_name("small_target.py")))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]


class Server:
    """Answers every request; the *stalled* one late."""

    def __init__(self):
        self.status, self.headers = "200 OK", []
        self.stalled, self.stall_s = math.inf, 0.0
        self.asked_s, self.paths, self.clients = [], [], set()
        self._pool = Pool()
        sock = socket.create_server(("127.0.0.1", 0))
        # It writes head and body apart: without this each answer waits for the client's delayed ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = sock.getsockname()[1]
        self._listener = WSGIServer(sock, self._answer, log=None, spawn=self._pool)
        self._listener.start()

    @property
    def open_connections(self):
        return len(self._pool)

    def stop(self):
        self._listener.stop(timeout=0)

    def _answer(self, environ, start_response):
        self.asked_s.append(time.monotonic())
        self.paths.append(environ["PATH_INFO"] + "?" + environ["QUERY_STRING"])
        self.clients.add(environ["REMOTE_PORT"])
        if len(self.asked_s) == self.stalled:
            gevent.sleep(self.stall_s)
        start_response(self.status, [("Content-Length", "2"), *self.headers])
        return [b"{}"]


class Client(Poller):
    weight = 0
    fixed_count = 1
    network_timeout = 0.5


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def reports():
    return []


@pytest.fixture
def runner(reports):
    environment = Environment(user_classes=[Client], events=Events())
    runner = environment.create_local_runner()
    Worker(environment)
    runner.register_message(messages.COUNTS, lambda msg, **_: reports.append(msg.data))
    yield runner
    runner.quit()
    runner.send_message(messages.END)


@pytest.fixture
def poll(runner, server):
    """Start that many pollers in a stage of so many requests a second."""

    def start_polling(requests_per_s, pollers=1, **orders):
        runner.send_message(messages.BEGIN, orders_for(server.port, **orders))
        turn_to(runner, requests_per_s)
        Client.fixed_count = pollers
        runner.start(pollers, spawn_rate=pollers)

    return start_polling


@pytest.fixture
def ended(runner, reports):
    """End the run; return its requests, failures and latencies."""

    def end():
        runner.send_message(messages.END)
        latencies, failures = Histogram(), {}
        for report in reports:
            latencies.merge(report["histograms"].get("request_latency", {}))
            for reason, count in report["failures"].items():
                failures[reason] = failures.get(reason, 0) + count
        return sum(report["requests"] for report in reports), failures, latencies

    return end


def turn_to(runner, requests_per_s, index=0):
    runner.send_message(messages.STAGE, stage_of(requests_per_s=requests_per_s, index=index))


def test_one_poller_asks_at_a_constant_pace(poll, server, ended):
    poll(20.0)
    wait_until(lambda: len(server.asked_s) == 21)
    requests, failures, latencies = ended()

    assert 0.95 <= server.asked_s[20] - server.asked_s[0] <= 1.2
    assert (requests, {}) == (latencies.total, failures)
    assert 1 == len(server.clients)


def test_polls_take_the_symbols_in_turn(poll, server):
    poll(20.0)
    wait_until(lambda: len(server.paths) >= 4)
    asked = [path.partition("instrument_name=")[2] for path in server.paths[:4]]

    assert ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL-PERPETUAL", "BTC-PERPETUAL"] == asked


def test_several_pollers_share_the_rate_evenly_from_the_first_stage_on(poll, server):
    poll(20.0, pollers=10)
    wait_until(lambda: server.asked_s)
    gevent.sleep(1.5)
    gaps_s = sorted(after - before for before, after in pairwise(server.asked_s))

    assert 27 <= len(server.asked_s) <= 33
    assert 0.025 <= gaps_s[len(gaps_s) // 2] <= 0.075
    assert 10 == len(server.clients)


def test_a_stall_is_seen_in_the_latency_of_the_polls_that_had_to_wait(poll, server, ended):
    server.stalled, server.stall_s = 3, 0.4
    poll(20.0)
    wait_until(lambda: len(server.asked_s) >= 20)
    requests, _failures, latencies = ended()
    late = sum(count for bucket, count in latencies.counts.items() if bucket >= bucket_of(100_000))

    assert 5 <= late <= 8  # Due 0.40, 0.35, ..., 0.10 s before the stall was over.
    assert pytest.approx(0.4, rel=0.2) == latencies.quantile_us(1.0) / 1e6
    assert requests >= 19
    assert 0.9 <= server.asked_s[19] - server.asked_s[0] <= 1.3  # What was overdue is made up for.


def test_a_throttled_poll_is_no_answered_request(poll, server, ended):
    server.status = "429 Too Many Requests"
    poll(20.0)
    wait_until(lambda: len(server.asked_s) >= 5)
    requests, failures, latencies = ended()

    assert (0, 0) == (requests, latencies.total)
    assert {"request_throttled"} == set(failures)
    assert failures["request_throttled"] >= 4


def test_a_target_that_asks_to_be_left_alone_is(poll, server, ended):
    server.status, server.headers = "429 Too Many Requests", [("Retry-After", "1")]
    poll(20.0)
    wait_until(lambda: len(server.asked_s) >= 2)
    ended()

    assert server.asked_s[1] - server.asked_s[0] > 0.9


def test_a_poll_without_an_answer_is_counted_as_such(poll, server, ended):
    server.stalled, server.stall_s = 1, 1.0
    poll(20.0)
    wait_until(lambda: len(server.asked_s) >= 3)
    requests, failures, _latencies = ended()

    assert {"request_unanswered": 1} == failures
    assert requests >= 1


def test_a_server_that_is_gone_answers_nothing(poll, server, ended):
    server.stop()
    poll(20.0)
    gevent.sleep(0.3)
    requests, failures, _latencies = ended()

    assert (0, {"request_unanswered"}) == (requests, set(failures))


def test_a_stage_without_requests_ends_polls_and_connections_at_once(poll, server, runner):
    poll(2.0, pollers=2)
    wait_until(lambda: len(server.clients) == 2)
    turn_to(runner, 0.0, index=1)
    asked = len(server.asked_s)
    wait_until(lambda: server.open_connections == 0)
    gevent.sleep(1.2)

    assert asked == len(server.asked_s)


def test_a_rested_poller_polls_again_on_a_new_connection(poll, server, runner):
    poll(0.0)
    gevent.sleep(0.2)
    asked_while_resting = len(server.asked_s)
    turn_to(runner, 10.0)
    wait_until(lambda: len(server.asked_s) == 2)
    turn_to(runner, 0.0)
    wait_until(lambda: server.open_connections == 0)
    turn_to(runner, 10.0)
    wait_until(lambda: len(server.asked_s) >= 4)

    assert (0, 2) == (asked_while_resting, len(server.clients))


def test_a_new_phase_at_the_same_rate_keeps_the_pace(poll, server, runner):
    poll(10.0)
    for _ in range(8):
        gevent.sleep(0.13)
        turn_to(runner, 10.0)
    gaps_s = [after - before for before, after in pairwise(server.asked_s)]

    assert 9 <= len(server.asked_s) <= 12
    assert all(0.05 <= gap_s <= 0.2 for gap_s in gaps_s)


def test_stopped_pollers_hang_up(poll, server, runner):
    poll(20.0, pollers=3)
    wait_until(lambda: len(server.clients) == 3)
    runner.stop()
    wait_until(lambda: server.open_connections == 0)

    assert 0 == runner.user_count


@pytest.mark.parametrize(
    ("status_code", "reason"),
    [
        (0, "request_unanswered"),
        (429, "request_throttled"),
        (404, "request_failed_404"),
        (503, "request_failed_503"),
    ],
)
def test_every_status_that_is_no_answer_has_its_reason(status_code, reason):
    assert reason == failure_of(status_code)
