"""Pollers of Locust's own runner against a small HTTP server: its stalls and refusals are planted."""

from locust.env import Environment
from locust.event import Events
from locust.util.load_locustfile import is_user_class

import itertools
import json
import math
import runpy
import socket
import statistics
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
import requests
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer
from gevent.server import StreamServer

from capacity.domain.histogram import Histogram, bucket_of
from capacity.loadgen.client import poller as module
from capacity.loadgen.client.mixed_trader import MixedTrader
from capacity.loadgen.client.order_trader import OrderTrader
from capacity.loadgen.client.poller import Poller
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages
from capacity.loadgen.protocol.counters import Counters
from capacity.workload.profiles.pacing import ConstantPace
from capacity.workload.profiles.revisit import Revisit

FOLDER = Path(__file__).parents[1]
TLS = runpy.run_path(str(FOLDER / "tls_target.py"))
SMALL = runpy.run_path(str(FOLDER / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]


class Server:
    """Answers every request; the *stalled* one late, and those with its ETag by 304."""

    def __init__(self):
        self.status, self.headers, self.body, self.tag = "200 OK", [], b"{}", None
        self.stalled, self.stall_s = math.inf, 0.0
        self.asked_s, self.paths, self.clients, self.cookies = [], [], Counter(), []
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
        self.clients[environ["REMOTE_PORT"]] += 1
        self.cookies.append(environ.get("HTTP_COOKIE", ""))
        if len(self.asked_s) == self.stalled:
            gevent.sleep(self.stall_s)
        if self.tag is not None and environ.get("HTTP_IF_NONE_MATCH") == self.tag:
            start_response("304 Not Modified", [("ETag", self.tag)])
            return []
        tag = [("ETag", self.tag)] if self.tag is not None else []
        start_response(self.status, [("Content-Length", str(len(self.body))), *tag, *self.headers])
        return [self.body]


class Client(Poller):
    weight = 0
    fixed_count = 1
    answer_timeout_s = 0.5


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

    def start_polling(requests_per_s, pollers=1, target=None, time=None, **changes):
        orders = orders_for(server.port, **changes)
        orders["target"] |= target or {}
        orders["dialect"]["rest"]["ticker"]["time"] = time
        runner.send_message(messages.BEGIN, orders)
        turn_to(runner, requests_per_s)
        Client.fixed_count = pollers
        runner.start(pollers, spawn_rate=pollers)

    return start_polling


@pytest.fixture
def series(reports):
    """Return what was reported of one series."""

    def merged(name):
        found = Histogram()
        for report in reports:
            found.merge(report["histograms"].get(name, {}))
        return found

    return merged


@pytest.fixture
def ended(runner, reports, series):
    """End the run; return its requests, failures and latencies."""

    def end():
        runner.send_message(messages.END)
        failures = {}
        for report in reports:
            for reason, count in report["failures"].items():
                failures[reason] = failures.get(reason, 0) + count
        requests = sum(report["requests"] for report in reports)
        return requests, failures, series("request_latency")

    return end


@pytest.fixture
def intended_s(monkeypatch):
    """Return the moments that all pollers intended to ask at, in the order they were computed."""
    moments_s = []

    class Noted(ConstantPace):
        def next_intended_s(self, now_s):
            moments_s.append(super().next_intended_s(now_s))
            return moments_s[-1]

    monkeypatch.setattr("capacity.loadgen.client.steady_pace.ConstantPace", Noted)
    return moments_s


def gaps_s(moments_s):
    return [after - before for before, after in pairwise(moments_s)]


def turn_to(runner, requests_per_s, index=0):
    runner.send_message(messages.STAGE, stage_of(requests_per_s=requests_per_s, index=index))


def test_one_poller_asks_at_a_constant_pace(poll, server, ended, intended_s):
    poll(20.0)
    wait_until(lambda: len(server.asked_s) == 21)
    requests, failures, latencies = ended()

    assert pytest.approx([0.05] * 20) == gaps_s(intended_s[:21])
    assert all(due_s <= asked_s for due_s, asked_s in zip(intended_s, server.asked_s, strict=False))
    assert (requests, {}) == (latencies.total, failures)
    assert 1 == len(server.clients)


def test_polls_take_the_symbols_in_turn(poll, server):
    poll(20.0)
    wait_until(lambda: len(server.paths) >= 4)
    asked = [path.partition("instrument_name=")[2] for path in server.paths[:4]]

    assert ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL-PERPETUAL", "BTC-PERPETUAL"] == asked


def test_several_pollers_share_the_rate_evenly_from_the_first_stage_on(poll, server, intended_s):
    poll(20.0, pollers=10)
    wait_until(lambda: len(server.clients) == 10)
    begun_s = max(intended_s)
    wait_until(lambda: min(intended_s[-10:]) > begun_s + 1.0)
    due_s = sorted(moment_s for moment_s in intended_s if 0 <= moment_s - begun_s < 1.0)

    assert 20 == pytest.approx(len(due_s), abs=1)
    assert 0.025 <= statistics.median(gaps_s(due_s)) <= 0.075
    assert 10 == len(server.clients)


def test_a_stall_is_seen_in_the_latency_of_the_polls_that_had_to_wait(
    poll, server, ended, intended_s
):
    server.stalled, server.stall_s = 3, 0.4
    poll(20.0)
    wait_until(lambda: len(server.asked_s) >= 20)
    requests, _failures, latencies = ended()
    late = sum(count for bucket, count in latencies.counts.items() if bucket >= bucket_of(100_000))

    assert 5 <= late <= 8  # Due 0.40, 0.35, ..., 0.10 s before the stall was over.
    assert pytest.approx(0.4, rel=0.2) == latencies.quantile_us(1.0) / 1e6
    assert requests >= 19
    assert pytest.approx([0.05] * 19) == gaps_s(intended_s[:20])  # What was overdue is made up for.


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


def test_whoever_heeds_what_a_venue_says_of_credits_is_throttled_and_never_banned(
    poll, start_exchange, ended
):
    venue = start_exchange("--credits-per-s=2", "--credits-burst=10", "--ban-after=2")
    poll(50.0, target={"port": venue.port})
    status = {}

    def is_throttled_twice():
        status.update(requests.get(f"{venue.url}/status", timeout=10).json())
        return status["throttled"] >= 2

    wait_until(is_throttled_twice)
    _requests, failures, _latencies = ended()

    assert {"request_throttled"} == set(failures)
    assert (0, True) == (status["banned"], status["requests"] >= 11)


def test_a_poll_without_an_answer_is_counted_as_such(poll, server, ended):
    server.stalled, server.stall_s = 1, 1.0
    poll(20.0)
    wait_until(lambda: len(server.asked_s) >= 3)
    requests, failures, _latencies = ended()

    assert {"request_timeout": 1} == failures
    assert requests >= 1


def test_a_server_that_is_gone_answers_nothing(poll, server, ended):
    server.stop()
    poll(20.0)
    gevent.sleep(0.3)
    requests, failures, _latencies = ended()

    assert (0, {"request_connect_refused"}) == (requests, set(failures))


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


def test_a_new_phase_at_the_same_rate_keeps_the_pace(poll, server, runner, intended_s):
    poll(10.0)
    for _ in range(8):
        gevent.sleep(0.13)
        turn_to(runner, 10.0)
    wait_until(lambda: len(server.asked_s) >= 10)

    assert pytest.approx([0.1] * 9) == gaps_s(intended_s[:10])


def test_stopped_pollers_hang_up(poll, server, runner):
    poll(20.0, pollers=3)
    wait_until(lambda: len(server.clients) == 3)
    runner.stop()
    wait_until(lambda: server.open_connections == 0)

    assert 0 == runner.user_count


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("301 Moved Permanently", "request_failed_301"),
        ("304 Not Modified", "request_failed_304"),
        ("404 Not Found", "request_failed_404"),
        ("429 Too Many Requests", "request_throttled"),
        ("503 Service Unavailable", "request_failed_503"),
    ],
)
def test_every_status_that_is_no_answer_has_its_reason(poll, server, ended, status, reason):
    server.status, server.headers, server.body = status, [("Location", "/elsewhere")], b""
    poll(50.0)
    wait_until(lambda: len(server.asked_s) >= 3)
    requests, failures, latencies = ended()

    assert (0, 0, {reason}) == (requests, latencies.total, set(failures))
    assert not any("elsewhere" in path for path in server.paths)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_pause_that_was_asked_for_is_kept_by_each_poller_and_drops_nothing(
    poll, server, ended, status
):
    server.status, server.headers = status, [("Retry-After", "1")]
    poll(40.0, pollers=2)
    wait_until(lambda: len(server.asked_s) >= 4)
    requests, failures, _latencies = ended()

    assert (0, 1) == (requests, len(failures))
    assert [True, False, True] == [
        after - before < 0.9 for before, after in pairwise(server.asked_s)
    ]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda sock: sock.close(), "request_reset"),
        (lambda sock: sock.sendall(b"220 mail\r\n"), "request_invalid"),
        (
            lambda sock: sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
            "request_cut_short",
        ),
    ],
)
def test_a_server_that_breaks_off_is_counted_and_asked_on(poll, server, ended, end, reason):
    asked = []

    def serve(sock, _address):
        asked.append(sock.recv(65536))
        end(sock)

    server.stop()
    breaking = StreamServer(("127.0.0.1", 0), serve)
    breaking.start()
    poll(50.0, target={"port": breaking.server_port})
    wait_until(lambda: len(asked) >= 3)
    requests, failures, _latencies = ended()
    breaking.stop(timeout=0)

    assert (0, {reason}) == (requests, set(failures))


def test_a_connection_for_each_poll_is_timed_apart(poll, server, ended, series):
    poll(50.0, target={"rest": {"operation": "ticker", "connections": "new"}})
    wait_until(lambda: len(server.asked_s) >= 5)
    requests, failures, _latencies = ended()

    assert {} == failures
    assert len(server.clients) == len(server.asked_s)
    assert requests == series("request_opening_tcp").total


def test_a_kept_connection_is_timed_once(poll, server, ended, series):
    poll(50.0)
    wait_until(lambda: len(server.asked_s) >= 5)
    ended()

    assert (1, 1) == (len(server.clients), series("request_opening_tcp").total)


@pytest.mark.parametrize("conditional", [False, True])
def test_what_has_not_changed_is_a_request_and_counted_apart(
    poll, server, ended, reports, conditional
):
    server.tag = 'W/"1"'
    poll(100.0, target={"rest": {"operation": "ticker", "conditional": conditional}})
    wait_until(lambda: len(server.asked_s) >= 10)
    requests, failures, latencies = ended()
    not_modified = sum(report["not_modified"] for report in reports)

    assert {} == failures
    assert requests == latencies.total
    assert (requests - 3 if conditional else 0) == not_modified  # Each of three symbols came once.


def test_a_body_that_says_when_it_was_written_has_its_age_by_the_targets_clock(
    poll, server, ended, series
):
    server.body = json.dumps({"at": time.time() + 5.0}).encode()
    poll(50.0, time={"path": "at", "unit": "s"}, clock_offset_s=8.0)
    wait_until(lambda: len(server.asked_s) >= 5)
    requests, _failures, _latencies = ended()
    ages = series("body_age")

    assert requests == ages.total
    assert pytest.approx(3.0, abs=0.5) == ages.quantile_us(0.5) / 1e6


@pytest.mark.parametrize("time_field", [None, {"path": "nowhere", "unit": "s"}])
def test_a_body_that_does_not_say_has_no_age(poll, server, ended, series, time_field):
    poll(50.0, time=time_field)
    wait_until(lambda: len(server.asked_s) >= 3)
    ended()

    assert 0 == series("body_age").total


def test_cookies_go_back_so_that_a_target_opens_no_session_for_each_poll(poll, server):
    server.headers = [("Set-Cookie", "session=7; Path=/")]
    poll(50.0)
    wait_until(lambda: len(server.cookies) >= 3)

    assert ["", "session=7", "session=7"] == server.cookies[:3]


def test_a_certificate_that_is_not_trusted_is_counted_as_for_websocket_connections(
    poll, server, ended, reports, tmp_path
):
    authority = TLS["Authority"](tmp_path / "authority")
    front = TLS["fronted"](server.port, authority.certificate("IP:127.0.0.1"))
    poll(50.0, target={"port": front.server_port, "tls": True})
    wait_until(lambda: any(report["failures"] for report in reports))
    requests, failures, _latencies = ended()
    front.stop(timeout=0)

    assert (0, {"tls_certificate"}) == (requests, set(failures))


def test_over_tls_polls_are_answered_and_the_handshake_timed(poll, server, ended, series, tmp_path):
    authority = TLS["Authority"](tmp_path / "authority")
    front = TLS["fronted"](server.port, authority.certificate("IP:127.0.0.1"))
    certificates = {"ca_file": authority.file}
    target = {"port": front.server_port, "tls": True, "certificates": certificates}
    poll(50.0, pollers=2, target=target)
    wait_until(lambda: len(server.clients) == 2 and min(server.clients.values()) >= 2)
    requests, failures, _latencies = ended()
    front.stop(timeout=0)

    assert {} == failures
    assert requests >= 2
    assert 2 == series("request_opening_tls").total


def test_locust_sees_every_poll_with_its_failure(poll, server, runner, ended):
    statuses = itertools.cycle(["200 OK", "500 Internal Server Error"])

    def answer(_environ, start_response):
        start_response(next(statuses), [("Content-Length", "2")])
        return [b"{}"]

    server._listener.application = answer
    poll(100.0)
    stats = runner.environment.stats
    wait_until(lambda: stats.get("ticker", "GET").num_requests >= 10)
    requests, failures, _latencies = ended()
    entry = stats.get("ticker", "GET")

    assert (requests, sum(failures.values())) == (
        entry.num_requests - entry.num_failures,
        entry.num_failures,
    )
    assert {"request_failed_500"} == set(failures)


def test_a_poll_that_cannot_be_counted_keeps_the_pace(poll, server, ended, intended_s, caplog):
    # Nothing hands out such an offset any more; the pace must not hang on it.
    poll(20.0, clock_offset_s=float("nan"), time={"path": "t", "unit": "s"})
    server.body = b'{"t": 1.0}'
    wait_until(lambda: len(server.asked_s) >= 6)
    _requests, failures, _latencies = ended()

    assert failures["request_defect"] >= 4
    assert pytest.approx([0.05] * 4) == gaps_s(intended_s[:5])
    assert "nobody foresaw" in caplog.text


def answered(status, *, body=b"{}", opening_us=(), **headers):
    names = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return SimpleNamespace(
        status=status,
        body=body,
        opening_us=dict(opening_us),
        headers=SimpleNamespace(getlist=lambda name: names.get(name, [])),
    )


@pytest.fixture
def polled(monkeypatch):
    """Have one poll answered by the test: begun at 102, answered at 105, intended at 100."""
    moments = iter([102.0, 105.0, 106.0])
    clock = SimpleNamespace(monotonic=lambda: next(moments), time=lambda: 1000.0)
    monkeypatch.setattr(module, "time", clock)
    counters, told, asked = Counters(), [], []
    clients = SimpleNamespace(
        counters=counters,
        polls=[SimpleNamespace(url="/a", head=b"", body=b"", method="GET", name="a", clock=None)],
        clock_offset_s=5.0,
        max_message_bytes=1000,
    )

    def poll(answer):
        def exchange(_request, *, is_repeatable):
            asked.append(is_repeatable)
            return answer

        poller = Client.__new__(Client)
        poller._polls, poller._revisit = 0, Revisit(has_validators=False)
        poller._connection = SimpleNamespace(exchange=exchange, finish=lambda: asked.append("done"))
        fired = SimpleNamespace(fire=lambda **detail: told.append(detail))
        poller.environment = SimpleNamespace(events=SimpleNamespace(request=fired))
        return poller._poll(clients, 100.0), counters, told, asked

    return poll


@pytest.mark.parametrize(
    ("status", "is_good"), [(199, False), (200, True), (299, True), (300, False), (304, False)]
)
def test_what_is_answered_with_two_hundred_and_some_is_good(polled, status, is_good):
    pause_s, counters, (told,), asked = polled(answered(status))

    assert (0.0, [True, "done"]) == (pause_s, asked)
    assert is_good is (told["exception"] is None)
    assert is_good is (counters.requests == 1)
    assert [5_000_000] * is_good == counters.request_latency
    assert (4000.0, 2) == (told["response_time"], told["response_length"])


@pytest.mark.parametrize(
    ("status", "retry_after", "pause_s"),
    [(418, "7", 7.0), (429, "7", 7.0), (503, "7", 7.0), (502, "7", 0.0), (430, "7", 0.0)],
)
def test_a_busy_target_may_ask_for_a_pause(polled, status, retry_after, pause_s):
    assert pause_s == polled(answered(status, retry_after=retry_after))[0]


@pytest.mark.parametrize(
    ("status", "reason"),
    [(429, "request_throttled"), (428, "request_failed_428"), (418, "request_failed_418")],
)
def test_a_failure_is_named_by_its_status(polled, status, reason):
    _pause_s, counters, _told, _asked = polled(answered(status))

    assert {reason: 1} == counters.failures


def test_a_body_is_as_old_as_the_targets_clock_says(monkeypatch):
    monkeypatch.setattr(module, "written_at", lambda _clock, _body, _encoding, _most: 970.0)
    counters = Counters()
    clients = SimpleNamespace(counters=counters, clock_offset_s=5.0, max_message_bytes=9)
    clocked = SimpleNamespace(clock=object())
    module.count(clients, clocked, answered(200), 1000.0)
    module.count(clients, clocked, answered(304), 1000.0)
    module.count(clients, SimpleNamespace(clock=None), answered(200), 1000.0)

    assert (3, 1, [35_000_000]) == (counters.requests, counters.not_modified, counters.body_age)


@pytest.mark.parametrize("bundled", [MixedTrader, OrderTrader, Poller, Subscriber])
def test_bundled_users_are_for_deriving_from_and_run_only_so(bundled):
    """A locustfile imports what it derives from, and Locust runs each user class that it finds there."""
    derived = type("Own", (bundled,), {})

    assert (False, True) == (is_user_class(bundled), is_user_class(derived))


def test_pollers_without_a_run_leave_with_a_sentence_and_no_traceback(runner, monkeypatch, caplog):
    monkeypatch.setattr("capacity.loadgen.client.worker.INSTRUCTIONS_TIMEOUT_S", 0.1)
    Client.fixed_count = 1
    runner.start(1, spawn_rate=1)
    wait_until(lambda: caplog.records and not runner.user_count)

    assert "let the load profile start them" in caplog.text
    assert "Traceback" not in caplog.text
