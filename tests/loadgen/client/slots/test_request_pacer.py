"""Requests at once, in turn, beside those of other connections, and to a connection that is gone."""

from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.client.slots import request_pacer
from capacity.loadgen.client.slots.request_pacer import RequestPacer, SharedTurns
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.endpoints import WebSocket
from capacity.workload.dialects.sending import Subscribe
from capacity.workload.profiles.pacing import PACING_MARGIN


class Clock:
    """Time passes only while somebody sleeps; who sleeps less goes on first."""

    def __init__(self):
        self.now_s, self.slept_s = 50.0, []

    def sleep(self, pause_s):
        self.slept_s.append(round(pause_s / PACING_MARGIN, 6))
        self.now_s += pause_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def turns(clock, monkeypatch):
    """Return a function that makes a worker's turns; each sender runs until it has sent all."""
    monkeypatch.setattr(
        request_pacer, "gevent", SimpleNamespace(spawn=lambda run, *given: run(*given))
    )

    def made(each=None, total=None, workers=1, orders_share=0.0, **sections):
        spoken = dialect(each, total, **sections)
        return SharedTurns(
            spoken, workers, lambda: clock.now_s, clock.sleep, orders_share=orders_share
        )

    return made


def dialect(each=None, total=None, **sections):
    ws = WebSocket(url="ws://h", requests_per_s=each, total_requests_per_s=total)
    return Dialect(dialect=1, name="x", ws=ws, channels={}, data=(), **sections)


def sent_by(pacer, *frames, most=99, held=lambda _held_s: None):
    sent = []

    def send(frame):
        if len(sent) == most:
            return False
        sent.append(frame)
        return True

    pacer.send(frames, send, held)
    return sent


def test_what_is_not_paced_goes_out_at_once(turns, clock):
    assert [b"1", b"2"] == sent_by(RequestPacer(turns()), b"1", b"2")
    assert [] == clock.slept_s


def test_the_first_goes_at_once_and_each_other_an_interval_later(turns, clock):
    pacer = RequestPacer(turns(each=2))

    assert [b"1", b"2"] == sent_by(pacer, b"1", b"2")
    assert [b"3"] == sent_by(pacer, b"3")
    assert [0.0, 0.5, 0.5] == clock.slept_s


def test_nothing_more_is_sent_or_waited_for_once_the_connection_is_gone(turns, clock):
    assert [b"1"] == sent_by(RequestPacer(turns(total=2)), b"1", b"2", b"3", b"4", most=1)
    assert 0.5 * PACING_MARGIN == pytest.approx(clock.now_s - 50.0)


@pytest.mark.parametrize(("workers", "interval_s"), [(1, 0.5), (4, 2.0)])
def test_connections_take_turns_at_their_workers_share_of_the_total(
    turns, clock, workers, interval_s
):
    shared = turns(total=2, workers=workers)
    for _ in range(3):
        sent_by(RequestPacer(shared), b"1")

    assert 2 * interval_s * PACING_MARGIN == pytest.approx(clock.now_s - 50.0)


def test_connections_that_ask_at_once_take_turns_as_well(clock):
    def sleep(pause_s):
        clock.sleep(pause_s)
        gevent.sleep(0)

    shared, sent_at_s = SharedTurns(dialect(total=2), 1, lambda: clock.now_s, sleep), []
    gevent.joinall(
        [
            gevent.spawn(shared.send, b"1", lambda _frame: sent_at_s.append(clock.now_s) or True)
            for _ in range(3)
        ]
    )

    assert [50.0 + n * 0.5 * PACING_MARGIN for n in range(3)] == pytest.approx(sent_at_s)


def test_the_slower_of_both_paces_holds_for_one_connection(turns, clock):
    sent_by(RequestPacer(turns(each=1, total=4)), b"1", b"2", b"3")

    assert 2 * PACING_MARGIN == pytest.approx(clock.now_s - 50.0)


def test_whoever_waits_for_its_own_pace_takes_no_turn_of_others():
    shared = SharedTurns(dialect(each=2, total=200))
    slow, sent = RequestPacer(shared), []
    note = lambda frame: sent.append(frame) or True  # noqa: E731
    slow.send([b"s1", b"s2"], note, lambda _held_s: None)
    gevent.sleep(0)
    others = [RequestPacer(shared) for _ in range(5)]
    for other in others:
        other.send([b"o"], note, lambda _held_s: None)
    with gevent.Timeout(30):
        while len(sent) < 7:
            gevent.sleep(0.01)

    assert [b"s1", *[b"o"] * 5, b"s2"] == sent


def test_frames_asked_for_meanwhile_follow_those_that_wait():
    pacer, sent = RequestPacer(SharedTurns(dialect(total=100))), []
    for frames in ([b"1", b"2"], [b"3"]):
        pacer.send(frames, lambda frame: sent.append(frame) or True, lambda _held_s: None)
    with gevent.Timeout(30):
        while len(sent) < 3:
            gevent.sleep(0.01)

    assert [b"1", b"2", b"3"] == sent


def test_it_is_told_for_how_long_each_request_was_held_back(turns):
    held_s = []
    sent_by(RequestPacer(turns(total=2)), b"1", b"2", b"3", most=2, held=held_s.append)

    assert [0.0, 0.5 * PACING_MARGIN] == pytest.approx(held_s)


@pytest.mark.parametrize(("channels", "per_s"), [(0, 20.0), (1, 6.0), (2, 3.0)])
def test_connections_open_no_faster_than_they_can_subscribe(turns, channels, per_s):
    shared = turns(total=6 * PACING_MARGIN, subscribe=Subscribe(send={"to": "{channel}"}))

    assert per_s == pytest.approx(shared.connects_per_s(20.0, channels))


def test_without_a_total_connections_open_as_asked(turns):
    assert 20.0 == turns(each=1, subscribe=Subscribe(send="{channel}")).connects_per_s(20.0, 5)


def test_steps_wait_for_all_who_are_before_them():
    shared = SharedTurns(dialect(total=PACING_MARGIN / 10))
    before = shared.wait_s(2)
    shared.send(b"1", lambda _frame: True)
    waiting = [gevent.spawn(shared.send, b"1", lambda _frame: True) for _ in range(2)]
    gevent.sleep(0)
    during = shared.wait_s(2)
    gevent.killall(waiting)

    assert (20.0, 60.0, 20.0) == pytest.approx((before, during, shared.wait_s(2)))


def test_private_connections_take_turns_with_the_public_ones_and_keep_their_own_pace(turns, clock):
    shared = turns(total=2)
    private = shared.beside(dialect(each=1))
    sent_by(RequestPacer(shared), b"1")
    sent_by(RequestPacer(private), b"2", b"3")

    assert 1.5 * PACING_MARGIN == pytest.approx(clock.now_s - 50.0)


@pytest.mark.parametrize(("orders_per_s", "interval_s"), [(0.0, 1.0), (1.0, 2.0)])
def test_what_traders_send_meanwhile_is_left_to_them(turns, clock, orders_per_s, interval_s):
    # Each of two workers makes so many, and half of them over WebSockets.
    shared = turns(total=2, workers=2, orders_share=0.5)
    shared.leave_to_traders(orders_per_s)
    for _ in range(2):
        sent_by(RequestPacer(shared), b"1")

    assert interval_s * PACING_MARGIN == pytest.approx(clock.now_s - 50.0)
