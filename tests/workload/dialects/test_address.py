"""Channels and addresses."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.settings.dialect import load_dialect
from capacity.workload.dialects.address import (
    channel_name,
    channels_of,
    rest_request,
    shown_url,
    websocket_url,
)
from capacity.workload.dialects.dialect import Operation

DIALECTS = Path(__file__).parents[3] / "config" / "dialects"
DERIBIT = load_dialect(DIALECTS / "deribit.yaml")
NCHAN = load_dialect(DIALECTS / "url-subscribe.yaml")
HERE = {"host": "127.0.0.1", "port": 8080, "tls": False}


def test_a_channel_is_named_as_on_the_wire_and_the_name_is_shared():
    name = channel_name(DERIBIT, "book", "BTC-PERPETUAL")

    assert name == "book.BTC-PERPETUAL.100ms"
    assert name is channel_name(DERIBIT, "book", "BTC-PERPETUAL")


def test_connections_start_one_name_further_each_and_wrap_around():
    chosen = [channels_of(DERIBIT, i, ["ticker", "quote"], ["A", "B"], 2) for i in range(5)]

    assert chosen == [
        ["ticker.A.100ms", "ticker.B.100ms"],
        ["ticker.B.100ms", "quote.A"],
        ["quote.A", "quote.B"],
        ["quote.B", "ticker.A.100ms"],
        ["ticker.A.100ms", "ticker.B.100ms"],
    ]


@given(st.integers(1, 6), st.integers(0, 20), st.integers(0, 40))
def test_the_load_spreads_evenly_over_all_names(symbols, count, rounds):
    names = [f"S{n}" for n in range(symbols)]
    total = 2 * symbols
    followed = Counter(
        channel
        for i in range(rounds * total)
        for channel in channels_of(DERIBIT, i, ["ticker", "book"], names, count)
    )

    assert len(set(followed.values())) <= 1
    assert sum(followed.values()) == rounds * total * min(count, total)


def test_no_name_is_followed_twice_when_the_symbol_is_not_part_of_it():
    assert channels_of(NCHAN, 3, ["updates"], ["a", "a"], 2) == ["a"]
    assert channels_of(NCHAN, 0, ["updates"], [], 1) == [""]


@pytest.mark.parametrize(
    ("host", "tls", "url"),
    [
        ("127.0.0.1", False, "ws://127.0.0.1:8080/ws/api/v2"),
        ("::1", False, "ws://[::1]:8080/ws/api/v2"),
        ("exchange.example", True, "wss://exchange.example:8080/ws/api/v2"),
    ],
)
def test_the_websocket_address_has_scheme_and_host_as_they_must_be(host, tls, url):
    assert websocket_url(DERIBIT, host=host, port=8080, tls=tls) == url


def test_an_address_that_names_channels_quotes_them_and_never_names_none():
    assert websocket_url(NCHAN, **HERE) == "ws://127.0.0.1:8080/sub/idle"
    assert (
        websocket_url(NCHAN, **HERE, channels=["a/b c", "d,e"])
        == "ws://127.0.0.1:8080/sub/a%2Fb%20c,d%2Ce"
    )


def test_a_rest_request_is_method_address_and_body():
    request = rest_request(DERIBIT, "book", **HERE, symbol="BTC PERP&x=1")

    assert request == (
        "GET",
        (
            "http://127.0.0.1:8080/api/v2/public/get_order_book"
            "?instrument_name=BTC+PERP%26x%3D1&depth=20"
        ),
        None,
    )


def test_a_body_is_json_with_the_symbol_filled_in():
    asked = Operation(path="/{symbol}/book", method="POST", body={"i": "{symbol}", "n": [1]})
    dialect = type(DERIBIT)(
        dialect=1,
        name="x",
        ws=DERIBIT.ws,
        http=DERIBIT.http,
        channels={},
        data=DERIBIT.data,
        rest={"book": asked},
    )

    assert rest_request(dialect, "book", host="h", port=1, tls=True, symbol="A/B") == (
        "POST",
        "https://h:1/api/v2/A%2FB/book",
        b'{"i":"A/B","n":[1]}',
    )


def test_an_operation_or_endpoint_that_is_not_there_is_a_key_error():
    with pytest.raises(KeyError, match="nothing"):
        rest_request(DERIBIT, "nothing", **HERE, symbol="")
    with pytest.raises(KeyError, match="http"):
        rest_request(NCHAN, "book", **HERE, symbol="")


def test_an_address_may_hold_values_of_its_connection():
    dialect = replace(NCHAN, ws=replace(NCHAN.ws, url="ws://{host}/{connection}?token={token}"))
    url = websocket_url(dialect, **HERE, channels=(), values={"connection": 3, "token": "a/b c"})

    assert url == f"ws://{HERE['host']}/3?token=a%2Fb%20c"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ws://h:1/ws", "ws://h:1/ws"),
        ("ws://h:1/ws?token=abc&v=2", "ws://h:1/ws?token=…&v=…"),
        ("ws://h:1/ws?abc", "ws://h:1/ws?abc=…"),
    ],
)
def test_what_a_query_holds_is_not_shown(url, shown):
    assert shown_url(url) == shown
