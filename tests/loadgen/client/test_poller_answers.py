"""What becomes of the answers to polls: good, refused, cut off, unchanged, old."""

import json
import runpy
import time
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
from gevent.server import StreamServer

from capacity.loadgen.client import poller as module
from capacity.loadgen.protocol.counters import Counters
from capacity.workload.profiles.revisit import Revisit

POLLING = runpy.run_path(str(Path(__file__).with_name("polling.py")))
wait_until = POLLING["wait_until"]
Client = POLLING["Client"]
server = POLLING["server"]
reports = POLLING["reports"]
runner = POLLING["runner"]
poll = POLLING["poll"]
series = POLLING["series"]
ended = POLLING["ended"]


def test_a_throttled_poll_is_no_answered_request(poll, server, ended):
    server.status = "429 Too Many Requests"
    poll(20.0)
    wait_until(lambda: len(server.asked_s) >= 5)
    requests, failures, latencies = ended()

    assert (0, 0) == (requests, latencies.total)
    assert {"request_throttled"} == set(failures)
    assert failures["request_throttled"] >= 4


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
