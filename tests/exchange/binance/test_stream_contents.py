import pytest

from capacity.exchange.binance.stream_contents import stream_content
from capacity.exchange.binance.streams import parsed_stream
from capacity.exchange.market.instruments import listed_instruments
from capacity.exchange.market.market import Market


@pytest.fixture(name="market")
def fixture_market():
    return Market(listed_instruments(1)[0], seed=1)


def content(market, kind):
    return stream_content(parsed_stream(f"btcusdt@{kind}"), market)


def test_changes_applied_to_a_snapshot_from_between_make_the_book(market):
    depth, price_at = content(market, "depth"), market.instrument.price_at
    for move in range(30):
        market.advance()
        depth.absorb(0)
        if move == 14:
            mine = {f"{price_at(t):.8f}": f"{a:.8f}" for t, a in market.book.bids()}
            snapshot_id = market.change_id
    told = depth.update(7)
    mine = {**mine, **dict(told["b"])}

    assert told["U"] <= snapshot_id + 1 <= told["u"] == market.change_id
    assert {f"{price_at(t):.8f}": f"{a:.8f}" for t, a in market.book.bids()} == {
        price: amount for price, amount in mine.items() if float(amount)
    }


def test_best_prices_are_told_where_they_changed_alone(market):
    best = content(market, "bookTicker")

    assert best.update(0) is None
    while best.update(0) is None:
        market.advance()


def test_the_small_ticker_tells_what_the_ticker_does_but_less(market):
    market.advance()
    small, whole = (content(market, kind).update(7) for kind in ("miniTicker", "ticker"))

    assert "24hrMiniTicker" == small.pop("e")
    assert {"E", "s", "c", "o", "h", "l", "v", "q"} == small.keys()
    assert small.items() <= whole.items()


@pytest.mark.parametrize("kind", ["trade", "aggTrade", "ticker"])
def test_the_last_trade_is_that_of_the_market(market, kind):
    told = content(market, kind).update(7)

    assert market.trade_seq in told.values()
    assert 7 == told["E"]
