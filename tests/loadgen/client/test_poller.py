"""Pollers of Locust's own runner against a small HTTP server: its stalls and refusals are planted."""

from locust.util.load_locustfile import is_user_class

import itertools
import runpy
import statistics
from itertools import pairwise
from pathlib import Path

import gevent
import pytest
import requests

from capacity.domain.histogram import bucket_of
from capacity.loadgen.client.mixed_trader import MixedTrader
from capacity.loadgen.client.order_trader import OrderTrader
from capacity.loadgen.client.poller import Poller
from capacity.loadgen.client.subscriber import Subscriber
from capacity.workload.profiles.pacing import ConstantPace

POLLING = runpy.run_path(str(Path(__file__).with_name("polling.py")))
wait_until = POLLING["wait_until"]
server = POLLING["server"]
reports = POLLING["reports"]
runner = POLLING["runner"]
poll = POLLING["poll"]
series = POLLING["series"]
ended = POLLING["ended"]
Client = POLLING["Client"]
turn_to = POLLING["turn_to"]


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


def test_a_new_phase_at_the_same_rate_keeps_the_pace(poll, server, runner, intended_s):
    poll(10.0)
    for _ in range(8):
        gevent.sleep(0.13)
        turn_to(runner, 10.0)
    wait_until(lambda: len(server.asked_s) >= 10)

    assert pytest.approx([0.1] * 9) == gaps_s(intended_s[:10])


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
