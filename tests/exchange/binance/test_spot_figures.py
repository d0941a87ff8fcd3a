import pytest

from capacity.exchange.binance.spot_figures import DAY_MS, best_prices, last_day, priced, text
from capacity.exchange.market.instruments import listed_instruments
from capacity.exchange.market.market import Market

NOW_MS = 1_700_000_000_000


@pytest.fixture(name="market")
def fixture_market():
    return Market(listed_instruments(1)[0], seed=1)


@pytest.fixture(name="trades")
def fixture_trades(market):
    """Return all trades of the market, moved so often that it had them."""
    trades = [market.last_trade]
    for _ in range(200):
        market.advance()
        trades.append(market.last_trade)
    return trades


@pytest.mark.parametrize(
    ("number", "told"),
    [(1e-4, "0.00010000"), (60000.5, "60000.50000000"), (0.0, "0.00000000"), (3, "3.00000000")],
)
def test_numbers_have_eight_decimals(number, told):
    assert told == text(number)


def test_levels_are_prices_in_money_and_quantities(market):
    tick = market.instrument.tick_size
    levels = [(7, 2.5), (6, 0.0)]

    assert [(text(7 * tick), "2.50000000"), (text(6 * tick), "0.00000000")] == priced(
        market, levels
    )


def test_the_best_prices_are_the_first_levels_of_the_book(market, trades):
    best, book = best_prices(market), market.book
    bids, asks = priced(market, book.bids()), priced(market, book.asks())

    assert len(trades) > 1
    assert (best["bidPrice"], best["bidQty"]) == max(bids, key=lambda level: float(level[0]))
    assert (best["askPrice"], best["askQty"]) == min(asks, key=lambda level: float(level[0]))
    assert float(best["bidPrice"]) < float(best["askPrice"])


def test_the_figures_of_a_day_are_those_of_its_trades(market, trades):
    told = last_day(market, NOW_MS)
    prices = [trade["price"] for trade in trades]
    first = market.instrument.price_at(market.instrument.first_ticks)

    assert (text(first), text(first)) == (told["openPrice"], told["prevClosePrice"])
    assert (text(prices[-1]), text(trades[-1]["amount"])) == (told["lastPrice"], told["lastQty"])
    assert (text(max([first, *prices])), text(min([first, *prices]))) == (
        told["highPrice"],
        told["lowPrice"],
    )
    assert text(prices[-1] - first) == told["priceChange"]
    assert f"{(prices[-1] / first - 1) * 100:.3f}" == told["priceChangePercent"]
    assert sum(trade["amount"] for trade in trades) == pytest.approx(float(told["volume"]))
    assert (trades[0]["trade_seq"], trades[-1]["trade_seq"], len(trades)) == (
        told["firstId"],
        told["lastId"],
        told["count"],
    )
    assert (NOW_MS - DAY_MS, NOW_MS) == (told["openTime"], told["closeTime"])


def test_the_mean_price_is_the_middle_of_high_and_low_and_values_the_volume(market, trades):
    told = last_day(market, NOW_MS)
    middle = (float(told["highPrice"]) + float(told["lowPrice"])) / 2

    assert len(trades) > 1
    assert text(middle) == told["weightedAvgPrice"]
    assert middle * float(told["volume"]) == pytest.approx(float(told["quoteVolume"]))


def test_the_best_prices_stand_among_the_figures_of_a_day(market):
    assert best_prices(market).items() <= last_day(market, NOW_MS).items()
