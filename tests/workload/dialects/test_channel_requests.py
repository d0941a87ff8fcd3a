"""What stands for a channel in a request."""

import pytest

from capacity.workload.dialects.channel_requests import Channel, ChannelRequests
from capacity.workload.dialects.matching import MISSING

BOOKS = {"channel": "books", "instId": "{symbol}"}


def requests(**channels):
    return ChannelRequests({name: Channel(**given) for name, given in channels.items()})


@pytest.mark.parametrize(
    ("wire", "name", "request_"),
    [
        ("books:{symbol}", "books:BTC-USDT", {"channel": "books", "instId": "BTC-USDT"}),
        ("{symbol}.{symbol}", "a.b.a.b", {"channel": "books", "instId": "a.b"}),
        ("fixed", "fixed", {"channel": "books", "instId": "{symbol}"}),
    ],
)
def test_the_symbol_is_read_back_out_of_the_name(wire, name, request_):
    form = {"wire": wire, "request": BOOKS if "symbol" in wire else None}
    expected = request_ if "symbol" in wire else name

    assert requests(one=form).of(name) == expected


def test_the_longer_of_two_names_that_fit_is_meant():
    both = requests(
        any={"wire": "{symbol}", "request": {"is": "any"}},
        books={"wire": "books:{symbol}", "request": {"is": "books"}},
    )

    assert both.of("books:A") == {"is": "books"}
    assert both.of("A") == {"is": "any"}


def test_a_channel_without_a_form_of_its_own_is_its_name():
    assert requests(one={"wire": "a.{symbol}"}).of("a.B") == "a.B"
    assert requests(one={"wire": "a.{symbol}"}).of("unknown") == "unknown"


def test_parts_are_filled_with_the_symbol_and_the_values_of_the_request():
    both = requests(
        own={
            "wire": "own:{symbol}",
            "request": {"ask": ["{symbol}", "{id:int}"], "end": "{alias}"},
        },
        any={"wire": "{symbol}"},
    )

    assert both.named("channel.ask", ("own:{id}",), {"id": 7}) == ["{id}", 7]
    assert both.named("channel.ask.0", ("own:A",), {}) == "A"
    assert both.named("channel.nothing", ("own:A",), {}) is MISSING
    assert both.named("channel.ask", ("other",), {}) is MISSING
    assert both.named("channels", ("x", "own:A"), {"id": 7, "alias": 8}) == (
        "x",
        {"ask": ["A", 7], "end": 8},
    )


def test_what_holds_values_of_one_request_has_no_form_without_them():
    assert requests(own={"wire": "own", "request": {"n": "{id}"}}).of("own") == "own"
