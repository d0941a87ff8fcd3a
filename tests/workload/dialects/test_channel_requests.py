"""What stands for a channel in a request."""

import pytest

from capacity.settings.dialect import parse
from capacity.workload.dialects.channel_requests import ChannelRequests

BOOKS = {"channel": "books", "instId": "{symbol}"}


def requests(**channels):
    return ChannelRequests(
        parse(
            {"dialect": 1, "name": "x", "ws": {"url": "ws://h"}, "channels": channels, "data": []}
        )
    )


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
