from itertools import pairwise

import pytest

from capacity.exchange.market.book import DEPTH
from capacity.exchange.market.instruments import listed_instruments
from capacity.exchange.market.market import Market

PERPETUAL, OPTION = listed_instruments(11)[0], listed_instruments(11)[10]


def story(seed, moves=200):
    market = Market(PERPETUAL, seed)
    told = []
    for _ in range(moves):
        market.advance()
        told.append((market.ticker(), market.last_trade, market.change_id, market.book.copy()))
    return told


def test_the_same_seed_tells_the_same_story():
    assert story(3) == story(3)


def test_another_seed_tells_another_story():
    assert story(3) != story(4)


def test_instruments_of_one_seed_differ():
    assert Market(PERPETUAL, 1).change_id != Market(OPTION, 1).change_id


def test_change_ids_rise_and_are_never_consecutive():
    ids = [change_id for _, _, change_id, _ in story(1)]

    assert all(later - earlier >= 2 for earlier, later in pairwise(ids))


def test_trades_are_numbered_without_a_gap():
    numbers = [trade["trade_seq"] for _, trade, _, _ in story(1)]

    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_every_move_changes_the_book_and_keeps_its_depth():
    books = [book for *_, book in story(1, moves=2_000)]
    unchanged = sum(before == after for before, after in pairwise(books))

    assert unchanged <= 2  # An amount may be redrawn as it was, once in thousands.
    assert {len(book.bids()) for book in books} == {len(book.asks()) for book in books} == {DEPTH}


def test_the_price_walks_both_ways_and_stays_above_zero():
    market = Market(OPTION, 5)
    bids = []
    for _ in range(50_000):
        market.advance()
        bids.append(market.book.best_bid_ticks)

    assert min(bids) > DEPTH
    assert {later - earlier for earlier, later in pairwise(bids)} == {-1, 0, 1}


def test_trades_happen_at_the_top_of_the_book():
    market = Market(PERPETUAL, 1)
    for _ in range(300):
        quote = market.quote()
        market.advance()
        side = "best_ask_price" if market.last_trade["direction"] == "buy" else "best_bid_price"

        assert market.last_trade["price"] == quote[side]


@pytest.mark.parametrize("instrument", [PERPETUAL, OPTION])
def test_the_ticker_agrees_with_the_book(instrument):
    ticker = Market(instrument, 1).ticker()

    assert ticker["best_bid_price"] < ticker["mark_price"] < ticker["best_ask_price"]
    assert ticker["min_price"] < ticker["mark_price"] < ticker["max_price"]
    assert ("greeks" in ticker, "funding_8h" in ticker) == (
        instrument is OPTION,
        instrument is PERPETUAL,
    )
