import json
import re
import time

import pytest
import websocket

from capacity.exchange.binance.request_weights import request_weight


@pytest.mark.parametrize(
    ("path", "params", "weight"),
    [
        ("ping", {}, 1),
        ("depth", {"limit": "100"}, 5),
        ("depth", {"limit": "101"}, 25),
        ("depth", {"limit": "1001"}, 250),
        ("ticker/24hr", {}, 80),
        ("ticker/24hr", {"symbol": "BTCUSDT"}, 2),
    ],
)
def test_what_is_large_weighs_more(path, params, weight):
    assert weight == request_weight(path, params)


def test_the_weight_is_told_and_who_has_none_left_is_throttled(exchange, get):
    client = exchange(credits_per_s=0.001, credits_burst=6)
    first = get(client, "depth", symbol="BTCUSDT")
    second = get(client, "depth", symbol="BTCUSDT")

    assert (200, "5") == (first.status_code, first.headers["X-MBX-USED-WEIGHT-1M"])
    assert (429, -1003) == (second.status_code, second.json()["code"])
    assert int(second.headers["Retry-After"]) > 0


def test_what_is_used_of_the_limit_that_is_told_stands_under_its_interval(exchange, get):
    client = exchange(credits_per_s=0.001, credits_burst=30)
    (limit,) = get(client, "exchangeInfo").json()["rateLimits"]
    answer = get(client, "depth", symbol="BTCUSDT")

    assert (500, "MINUTE", 30) == (limit["intervalNum"], limit["interval"], limit["limit"])
    assert "25" == answer.headers["X-MBX-USED-WEIGHT-500M"]


def test_without_credits_no_use_is_told(exchange, get):
    answer = get(exchange(max_connections_per_address=5), "depth", symbol="BTCUSDT")

    assert not [name for name in answer.headers if name.upper().startswith("X-MBX")]


def test_who_goes_on_after_429_is_banned_with_the_time_until_which(exchange, get, open_streams):
    client = exchange(credits_per_s=0.001, credits_burst=10, ban_after=2)
    answers = [get(client, "depth", symbol="BTCUSDT") for _ in range(5)]
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        open_streams(client, "/ws/btcusdt@trade")
    banned = answers[4].json()

    assert [200, 200, 429, 429, 418] == [answer.status_code for answer in answers]
    assert "5000" == answers[2].headers["Retry-After"]
    assert 119 <= int(answers[4].headers["Retry-After"]) <= 120
    assert -1003 == banned["code"]
    assert time.time() * 1000 < int(re.search(r"until (\d+)\.", banned["msg"])[1])
    assert (418, True) == (
        refused.value.status_code,
        119 <= int(refused.value.resp_headers["retry-after"]) <= 120,
    )


@pytest.mark.parametrize(
    ("options", "retry_after_s", "words"),
    [
        ({"max_connections_per_address": 1}, range(5, 6), "too many connections from your address"),
        ({"connects_per_address": 1}, range(290, 301), "too many attempts at a connection"),
    ],
)
def test_connections_beyond_a_cap_get_the_venues_code(
    exchange, open_streams, options, retry_after_s, words
):
    client = exchange(**options)
    open_streams(client, "/ws/btcusdt@trade")
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        open_streams(client, "/ws/btcusdt@trade")
    told = json.loads(refused.value.resp_body)

    assert (429, -1034) == (refused.value.status_code, told["code"])
    assert int(refused.value.resp_headers["retry-after"]) in retry_after_s
    assert words in told["msg"]
