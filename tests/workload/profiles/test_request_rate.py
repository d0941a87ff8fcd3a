"""What connections ask for, and whether a step has the time for it."""

from dataclasses import replace

import pytest

from capacity.domain.load import LoadStep
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.endpoints import WebSocket
from capacity.workload.dialects.sending import Heartbeat, Step, Subscribe
from capacity.workload.profiles.pacing import PACING_MARGIN
from capacity.workload.profiles.request_rate import (
    SPARE_RATIO,
    Privately,
    interval_alone_s,
    request_rate,
    too_slow,
)

PER_S = 2 * PACING_MARGIN * SPARE_RATIO
EACH = Subscribe(send={"to": "{channel}"})
MANY = Subscribe(send={"to": "{channels:list}"}, batch=10)


def dialect(per_s=PER_S, subscribe=EACH, **sections):
    ws = WebSocket(url="ws://h", total_requests_per_s=per_s)
    return Dialect(
        dialect=1, name="x", ws=ws, channels={}, data=(), subscribe=subscribe, **sections
    )


def step(connections, **changes):
    return LoadStep(
        **{
            "connections": connections,
            "subscriptions_per_connection": 1,
            "requests_per_s": 0.0,
            "connects_per_s": 10.0,
            "ramp_timeout_s": 30.0,
            "settle_s": 5.0,
            "plateau_s": 10.0,
            "is_mix": True,
            **changes,
        }
    )


def test_without_the_key_nothing_is_bounded():
    private = Privately(dialect=dialect(per_s=None), channels=3, share=0.5)

    assert request_rate(dialect(per_s=None)) is None
    assert request_rate(dialect(per_s=None), private) is None


@pytest.mark.parametrize(
    ("subscribe", "channels", "requests"),
    [(EACH, 0, 0), (EACH, 3, 3), (MANY, 0, 0), (MANY, 10, 1), (MANY, 11, 2), (None, 3, 0)],
)
def test_subscriptions_take_as_many_requests_as_frames_are_sent(subscribe, channels, requests):
    rate = request_rate(dialect(subscribe=subscribe))

    assert requests == rate.of_new(channels) == rate.of_change(-channels)


def test_logins_and_greetings_are_requests_of_a_new_connection_alone():
    steps = (Step(send={"op": "login"}), Step(send_text="hello"), Step(answer_text="welcome"))
    heartbeat = (Heartbeat(when="connect", send_text="hi"), Heartbeat(every_s=5, send_text="ping"))
    rate = request_rate(dialect(opening=steps, heartbeat=heartbeat))

    assert (4, 1) == (rate.of_new(1), rate.of_change(1))


@pytest.mark.parametrize(("added", "is_told"), [(75, False), (76, True)])
def test_a_ramp_has_the_time_of_its_arrivals_and_its_timeout(added, is_told):
    told = too_slow(request_rate(dialect()), step(100), step(100 + added), 1, 1)

    assert is_told is (told is not None)
    if is_told:
        assert f"{added} requests for opening at 176 connections take 38 s" in told
        assert "total_requests_per_s 2.31 of dialect x, and have 37.6 s" in told
        assert "set ramp_timeout_s to 31, or ws.total_requests_per_s to 2.4" in told


@pytest.mark.parametrize(("kept", "is_told"), [(10, False), (11, True)])
def test_what_open_connections_ask_for_has_the_time_in_which_a_step_settles(kept, is_told):
    told = too_slow(request_rate(dialect()), step(kept), step(kept), 3, 2)

    assert is_told is (told is not None)
    if is_told:
        assert "set settle_s to 6, or ws.total_requests_per_s to 2.6" in told


@pytest.mark.parametrize(("churn_per_s", "is_told"), [(1.0, False), (1.01, True)])
def test_replaced_connections_ask_again_every_second(churn_per_s, is_told):
    told = too_slow(request_rate(dialect()), step(20), step(20, churn_per_s=churn_per_s), 2, 2)

    assert is_told is (told is not None)
    if is_told:
        assert "lower the churn, or set it to 2.4 if the target allows it" in told


@pytest.mark.parametrize("added", [1, 40, 75, 300, 5000])
def test_the_numbers_that_are_named_would_do(added):
    asked = step(added)
    needed_s = added / 2.0
    slow = too_slow(request_rate(dialect()), step(0), asked, 0, 1) is not None
    rate = request_rate(dialect()).per_s_for(added, 30.0 + added / 10.0)
    longer = replace(asked, ramp_timeout_s=max(1, needed_s - added / 10.0))

    assert slow is (needed_s > 30.0 + added / 10.0)
    assert too_slow(request_rate(dialect(per_s=rate)), step(0), asked, 0, 1) is None
    assert too_slow(request_rate(dialect()), step(0), longer, 0, 1) is None


def test_the_most_that_fit_are_those_that_are_not_told_of():
    rate = request_rate(dialect())

    assert (75.0, 10.0) == pytest.approx(
        (rate.most_added(1, 10.0, 30.0), rate.most_changed(1, 5.0))
    )
    assert rate.most_added(1, 1.0, 30.0) == rate.most_changed(0, 5.0) == float("inf")


def test_private_connections_take_part_with_what_they_ask_for_and_the_lower_rate_holds():
    login = (Step(send={"op": "login"}),)
    private = Privately(
        dialect=replace(dialect(per_s=1.0, opening=login), name="own"), channels=3, share=0.25
    )
    rate = request_rate(dialect(per_s=5.0), private)

    assert (1.0, "own") == (rate.per_s, rate.dialect)
    assert 0.75 * 2 + 0.25 * (1 + 3) == rate.of_new(2)
    assert 0.75 * 2 == rate.of_change(-2)
    assert 5.0 == request_rate(dialect(per_s=5.0), replace(private, dialect=dialect(9.0))).per_s


@pytest.mark.parametrize(("orders_per_s", "added"), [(0.0, 75), (PER_S / 2, 33)])
def test_traders_leave_less_for_those_who_subscribe(orders_per_s, added):
    rate = request_rate(dialect()).beside(orders_per_s)

    assert too_slow(rate, step(0), step(added), 0, 1) is None
    told = too_slow(rate, step(0), step(added + 1), 0, 1)
    assert ("less 1.155 of traders" in told) == bool(orders_per_s)


def test_traders_who_leave_nothing_are_told_with_their_rate():
    almost, all_of_it = (request_rate(dialect()).beside(part * PER_S) for part in (0.99, 1.0))

    assert "take" in too_slow(almost, step(0), step(100), 0, 1)
    assert "2.31 requests/s of traders over WebSockets leave nothing of" in too_slow(
        all_of_it, step(0), step(1), 0, 1
    )
    assert (0.0, float("inf")) == (all_of_it.seconds(0), all_of_it.seconds(1))


@pytest.mark.parametrize(
    ("each", "total", "interval_s"), [(4, 2, 0.5), (2, 4, 0.5), (None, 2, 0.5), (None, None, 0.0)]
)
def test_a_connection_alone_keeps_to_the_slower_of_both_paces(each, total, interval_s):
    ws = WebSocket(url="ws://h", requests_per_s=each, total_requests_per_s=total)

    assert interval_s * PACING_MARGIN == interval_alone_s(replace(dialect(), ws=ws))
