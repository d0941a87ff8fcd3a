import time
from dataclasses import dataclass

import pytest

from capacity.exchange.api.methods import WEBSOCKET_ONLY, call
from capacity.exchange.api.rpc import RpcError
from capacity.exchange.venue import Venue


@dataclass
class Caller:
    client_id: str | None = None


def called(method, caller=None, *, instruments=11, **params):
    return call(Venue(seed=1, instruments=instruments), caller or Caller(), method, params)


def code_of(method, caller=None, **params):
    with pytest.raises(RpcError) as caught:
        called(method, caller, **params)
    return caught.value.code


def test_time_is_in_milliseconds():
    before_ms = time.time_ns() // 1_000_000
    told_ms = called("public/get_time")

    assert before_ms <= told_ms <= time.time_ns() // 1_000_000


def test_instruments_are_filtered_by_currency_and_kind():
    assert len(called("public/get_instruments")) == 11
    bitcoin = called("public/get_instruments", currency="BTC")
    options = called("public/get_instruments", currency="BTC", kind="option")

    assert [row["kind"] for row in bitcoin] == ["future", "option"]
    assert [(row["instrument_name"], row["option_type"]) for row in options] == [
        ("BTC-28JUN30-45600-C", "call")
    ]


def test_currencies_are_those_of_the_instruments():
    names = [row["currency"] for row in called("public/get_currencies", instruments=2)]

    assert names == ["BTC", "ETH"]


@pytest.mark.parametrize(("depth", "levels"), [(None, 5), ("1", 1), (20, 20), (10_000, 20)])
def test_order_book_is_the_ticker_with_as_many_levels_as_asked_for(depth, levels):
    params = {} if depth is None else {"depth": depth}
    book = called("public/get_order_book", instrument_name="BTC-PERPETUAL", **params)

    assert len(book["bids"]) == len(book["asks"]) == levels
    assert book["bids"][0] == (book["best_bid_price"], book["best_bid_amount"])
    assert book["change_id"] > 0


def test_any_credentials_are_accepted_and_the_caller_is_remembered():
    caller = Caller()
    result = called(
        "public/auth", caller, grant_type="client_credentials", client_id="ann", client_secret="x"
    )

    assert caller.client_id == "ann"
    assert result["token_type"] == "bearer"

    refreshed = Caller()
    called(
        "public/auth",
        refreshed,
        grant_type="refresh_token",
        refresh_token=result["refresh_token"],
    )

    assert refreshed.client_id == "ann"


def test_no_name_and_a_foreign_token_are_no_credentials():
    assert code_of("public/auth", grant_type="client_credentials") == 13004
    assert code_of("public/auth", grant_type="refresh_token", refresh_token="ann.1") == 13004


def test_summaries_name_every_currency():
    result = called("private/get_account_summaries", Caller("ann"), instruments=2)

    assert [row["currency"] for row in result["summaries"]] == ["BTC", "ETH"]


def test_an_order_shows_in_the_account_until_it_is_cancelled():
    venue, caller = Venue(seed=1, instruments=1), Caller("ann")
    asked = {"instrument_name": "BTC-PERPETUAL", "amount": "10", "price": "1.5", "label": "a"}
    order = call(venue, caller, "private/buy", asked)["order"]
    assert call(venue, caller, "private/get_account_summary", {})["open_orders"] == 1
    cancelled = call(venue, caller, "private/cancel", {"order_id": order["order_id"]})

    assert (order["order_state"], order["label"]) == ("open", "a")
    assert cancelled["order_state"] == "cancelled"
    assert call(venue, caller, "private/get_account_summary", {})["open_orders"] == 0


def test_a_market_order_reports_its_trade():
    result = called(
        "private/sell", Caller("ann"), instrument_name="BTC-PERPETUAL", amount=10, type="market"
    )

    assert [trade["amount"] for trade in result["trades"]] == [10]
    assert result["order"]["order_state"] == "filled"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"amount": 10}, -32602),
        ({"amount": -1, "price": 5}, -32602),
        ({"amount": 10, "price": 5, "instrument_name": "nope"}, 13020),
    ],
)
def test_impossible_orders_are_refused(params, code):
    asked = {"instrument_name": "BTC-PERPETUAL"} | params

    assert code_of("private/buy", Caller("ann"), **asked) == code


def test_private_methods_need_an_account():
    assert code_of("private/get_account_summary") == 13009


@pytest.mark.parametrize("method", sorted(WEBSOCKET_ONLY))
def test_methods_of_a_connection_are_refused_without_one(method):
    assert code_of(method) == 10030


def test_an_unknown_method_is_not_found():
    assert code_of("public/nope") == -32601
