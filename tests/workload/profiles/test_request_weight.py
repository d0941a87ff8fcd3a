"""Weights of requests by REST, and what all of a run together may weigh."""

from dataclasses import replace

import pytest

from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.workload.dialects.order_entry import OrderEntry, OrderRequest
from capacity.workload.profiles.request_weight import Asked, Rates, weight_budget

BINANCE = load_dialect(find("dialects", "binance"))
"""100 a second; an order book weighs 5."""
REQUEST = OrderRequest(path="/order")
ORDERS = OrderEntry(
    login=replace(REQUEST, weight=3.0),
    place=REQUEST,
    amend=REQUEST,
    balance=replace(REQUEST, weight=20.0),
    cancel=REQUEST,
)
TRADED = replace(BINANCE, orders=ORDERS)
KUCOIN = load_dialect(find("dialects", "kucoin"))
TOKEN = replace(KUCOIN, rest=KUCOIN.rest | {"token": replace(KUCOIN.rest["token"], weight=10.0)})


def asked(**changes):
    nothing = {"total_weight_per_s": None, "polled": None, "orders_share": 0.0}
    nothing |= {"for_values": (), "for_private_values": (), "private_share": 0.0}
    return Asked(**(nothing | {"target": "t", "watched_every_s": None} | changes))


def budget(public=BINANCE, private=None, **changes):
    return weight_budget(asked(**changes), public, private)


def test_binance_lets_an_address_ask_for_twenty_order_books_a_second():
    books = budget(polled="depth")

    assert (100.0, "http.total_weight_per_s of dialect binance") == (books.per_s, books.source)
    assert books.excess(Rates(polls=20.0)) is None
    told = books.excess(Rates(polls=20.1))
    assert "20.1 requests/s of operation depth, 5 each, weigh 100.5 a second" in told
    assert "lower mix.requests_per_s_per_connection or the connections, or set it" in told


@pytest.mark.parametrize(("each", "most"), [(0.1, 200), (0.0995, 201), (20.0, 1), (21.0, 1)])
def test_as_many_connections_as_share_the_weight_may_poll_and_one_at_least(each, most):
    per_connection = Rates(polls=each, constant=0.0)

    assert most == budget(polled="depth").most_connections(per_connection, Rates())


def test_the_target_s_own_rule_goes_before_the_dialects_and_of_two_the_lower():
    own = budget(polled="depth", total_weight_per_s=200.0)
    lower = replace(TOKEN, http=replace(TOKEN.http, total_weight_per_s=66.0))
    both = budget(polled="depth", private=lower, for_private_values=["token"], private_share=0.5)

    assert (200.0, "rest.total_weight_per_s of target t") == (own.per_s, own.source)
    assert (66.0, "http.total_weight_per_s of dialect kucoin") == (both.per_s, both.source)


def test_what_is_not_there_not_bounded_or_weighs_nothing_has_no_budget():
    free = replace(BINANCE, rest={"depth": replace(BINANCE.rest["depth"], weight=0.0)})
    unbounded = replace(BINANCE, http=replace(BINANCE.http, total_weight_per_s=None))

    assert budget() is None
    assert budget(polled="none") is None
    assert budget(unbounded, polled="depth") is None
    assert budget(free, polled="depth") is None


@pytest.mark.parametrize(("orders", "is_told"), [(9.5, False), (9.6, True)])
def test_orders_weigh_as_their_dearest_cycle_and_a_new_trader_logs_in(orders, is_told):
    # A placed order: (1 + 1 + 20 + 1) / 4. A refused one: (1 + 20) / 2 = 10.5, which half of them take by REST.
    traded = budget(TRADED, orders_share=0.5, polled="depth")
    told = traded.excess(Rates(polls=4.0, orders=orders, logins=20.0))

    assert is_told is (told is not None)
    if is_told:
        assert "4.8 requests/s of orders, 10.5 each (50.4)" in told
        assert "10 requests/s of logins of traders, 3 each (30)" in told
        assert "weigh 100.4 a second, and http.total_weight_per_s of dialect binance is 100" in told
        assert "or mix.orders_per_s_per_connection" in told


@pytest.mark.parametrize(("connects", "is_told"), [(10.0, False), (10.1, True)])
def test_values_that_are_asked_for_before_connects_weigh_by_the_share_of_their_kind(
    connects, is_told
):
    public = replace(TOKEN, http=replace(TOKEN.http, total_weight_per_s=100.0))
    tokens = budget(
        public,
        TOKEN,
        for_values=["token"],
        for_private_values=["token"],
        private_share=0.25,
    )
    told = tokens.excess(Rates(connects=connects))

    assert is_told is (told is not None)
    if is_told:
        assert "of operation token before connects, 10 each (75.75)" in told
        assert "lower connects_per_s, or set it" in told


@pytest.mark.parametrize(("every_s", "is_told"), [(0.05, False), (0.049, True)])
def test_the_comparison_of_freshness_asks_all_the_time(every_s, is_told):
    depth = replace(BINANCE.rest["depth"], channel="book", version="lastUpdateId")
    watched = replace(BINANCE, rest={"depth": depth})
    told = budget(watched, watched_every_s=every_s).excess(Rates())

    assert is_told is (told is not None)
    if is_told:
        assert "of operation depth for freshness, 5 each" in told
        assert "lower freshness (a longer poll_interval_s), or set it" in told


def test_what_goes_on_beside_leaves_less_for_connections():
    beside = replace(TOKEN, http=replace(TOKEN.http, total_weight_per_s=100.0))
    tokens = budget(beside, for_values=["token"], polled="ticker")
    polls = Rates(polls=0.5, constant=0.0)

    assert 20 == tokens.most_connections(polls, Rates(connects=9.0))
    assert 1 == tokens.most_connections(polls, Rates(connects=20.0))
    assert float("inf") == tokens.most_connections(Rates(constant=0.0), Rates(connects=9.0))


def test_traders_over_websockets_ask_for_the_values_of_their_connection():
    traded = replace(TOKEN, orders=ORDERS, http=replace(TOKEN.http, total_weight_per_s=100.0))
    told = budget(traded, for_values=["token"]).excess(Rates(logins=11.0))

    assert "11 requests/s of operation token for traders, 10 each, weigh 110 a second" in told
