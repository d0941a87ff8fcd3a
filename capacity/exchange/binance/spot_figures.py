"""A market in Binance's words, over REST and in streams: numbers as text of eight decimals."""

import time
from collections.abc import Iterable
from typing import Any

from capacity.exchange.market.book import Level
from capacity.exchange.market.market import Market

DAY_MS = 86_400_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def text(number: float) -> str:
    return f"{number:.8f}"


def priced(market: Market, levels: Iterable[Level]) -> list[tuple[str, str]]:
    """Return (price, quantity) of book levels."""
    price_at = market.instrument.price_at
    return [(text(price_at(ticks)), text(amount)) for ticks, amount in levels]


def best_prices(market: Market) -> dict[str, str]:
    """Return the best price and quantity of either side."""
    ((bid, bid_quantity),) = priced(market, market.book.bids()[:1])
    ((ask, ask_quantity),) = priced(market, market.book.asks()[:1])
    return {"bidPrice": bid, "bidQty": bid_quantity, "askPrice": ask, "askQty": ask_quantity}


def last_day(market: Market, now_ms: int) -> dict[str, Any]:
    """Return the figures of 24 hours: those since the start.

    The market keeps no sum of prices times quantities: the middle of high and low stands for the mean price.
    """
    price_at = market.instrument.price_at
    first, last = price_at(market.instrument.first_ticks), price_at(market.last_ticks)
    high, low = price_at(market.high_ticks), price_at(market.low_ticks)
    mean = (high + low) / 2
    return {
        "priceChange": text(last - first),
        "priceChangePercent": f"{(last / first - 1) * 100:.3f}",
        "weightedAvgPrice": text(mean),
        "prevClosePrice": text(first),
        "lastPrice": text(last),
        "lastQty": text(market.last_trade["amount"]),
        **best_prices(market),
        "openPrice": text(first),
        "highPrice": text(high),
        "lowPrice": text(low),
        "volume": text(market.volume),
        "quoteVolume": text(market.volume * mean),
        "openTime": now_ms - DAY_MS,
        "closeTime": now_ms,
        "firstId": market.first_trade_seq,
        "lastId": market.trade_seq,
        "count": market.trade_seq - market.first_trade_seq + 1,
    }
