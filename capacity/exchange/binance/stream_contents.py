"""What the updates of a stream say; a newcomer is told nothing, the book's snapshot comes over REST."""

from typing import Any

from capacity.exchange.binance.spot_figures import best_prices, last_day, priced, text
from capacity.exchange.binance.streams import Stream
from capacity.exchange.market.book import Level, changes_between
from capacity.exchange.market.contents import Content
from capacity.exchange.market.market import Market


class _Stream:
    def __init__(self, market: Market, symbol: str) -> None:
        self._market = market
        self._symbol = symbol

    def first(self, now_ms: int) -> None:  # noqa: ARG002 - one signature for all contents
        return None

    def absorb(self, now_ms: int) -> None:
        """Each update is whole."""


class DepthChanges(_Stream):
    """Every level touched since the update before, as it is now, and the ids U to u of those moves.

    Also one that is as it was before: a snapshot from between may have it otherwise.
    """

    def __init__(self, market: Market, symbol: str) -> None:
        super().__init__(market, symbol)
        self._seen = market.book.copy()
        self._told_id = market.change_id
        self._bids: dict[int, float] = {}
        self._asks: dict[int, float] = {}

    def absorb(self, now_ms: int) -> None:  # noqa: ARG002 - one signature for all contents
        before, after = self._seen, self._market.book.copy()
        self._seen = after
        _touch(self._bids, before.bids(), after.bids())
        _touch(self._asks, before.asks(), after.asks())

    def update(self, now_ms: int) -> dict[str, Any]:
        first_id, self._told_id = self._told_id + 1, self._market.change_id
        bids, self._bids = self._bids, {}
        asks, self._asks = self._asks, {}
        return {
            "e": "depthUpdate",
            "E": now_ms,
            "s": self._symbol,
            "U": first_id,
            "u": self._told_id,
            "b": priced(self._market, bids.items()),
            "a": priced(self._market, asks.items()),
        }


def _touch(levels: dict[int, float], before: list[Level], after: list[Level]) -> None:
    levels |= {ticks: amount for _, ticks, amount in changes_between(before, after)}


class BestPrices(_Stream):
    """Nothing where the move left the best level of both sides as it was."""

    def __init__(self, market: Market, symbol: str) -> None:
        super().__init__(market, symbol)
        self._told = best_prices(market)

    def update(self, now_ms: int) -> dict[str, Any] | None:  # noqa: ARG002 - it carries no time
        best = best_prices(self._market)
        if best == self._told:
            return None
        self._told = best
        return {
            "u": self._market.change_id,
            "s": self._symbol,
            "b": best["bidPrice"],
            "B": best["bidQty"],
            "a": best["askPrice"],
            "A": best["askQty"],
        }


class Trade(_Stream):
    """The trade of the last move; there is one to each, and each is told at once."""

    def update(self, now_ms: int) -> dict[str, Any]:
        return {"e": "trade", "E": now_ms, "s": self._symbol, "t": self._id, **self._told(now_ms)}

    @property
    def _id(self) -> int:
        return self._market.trade_seq

    def _told(self, now_ms: int) -> dict[str, Any]:
        trade = self._market.last_trade
        is_buyer_maker = trade["direction"] == "sell"
        price, quantity = text(trade["price"]), text(trade["amount"])
        return {"p": price, "q": quantity, "T": now_ms, "m": is_buyer_maker, "M": True}


class AggregateTrade(Trade):
    """The same, as the aggregate of one."""

    def update(self, now_ms: int) -> dict[str, Any]:
        ids = {"a": self._id, "f": self._id, "l": self._id}
        return {"e": "aggTrade", "E": now_ms, "s": self._symbol, **ids, **self._told(now_ms)}


_OF_A_DAY = {
    "p": "priceChange",
    "P": "priceChangePercent",
    "w": "weightedAvgPrice",
    "x": "prevClosePrice",
    "c": "lastPrice",
    "Q": "lastQty",
    "b": "bidPrice",
    "B": "bidQty",
    "a": "askPrice",
    "A": "askQty",
    "o": "openPrice",
    "h": "highPrice",
    "l": "lowPrice",
    "v": "volume",
    "q": "quoteVolume",
    "O": "openTime",
    "C": "closeTime",
    "F": "firstId",
    "L": "lastId",
    "n": "count",
}
"""Keys of the stream, and of the same figure over REST."""


class LastDay(_Stream):
    def update(self, now_ms: int) -> dict[str, Any]:
        figures = last_day(self._market, now_ms)
        told = {key: figures[name] for key, name in _OF_A_DAY.items()}
        return {"e": "24hrTicker", "E": now_ms, "s": self._symbol, **told}


_FEWER = ("c", "o", "h", "l", "v", "q")


class FewOfLastDay(_Stream):
    def update(self, now_ms: int) -> dict[str, Any]:
        figures = last_day(self._market, now_ms)
        told = {key: figures[_OF_A_DAY[key]] for key in _FEWER}
        return {"e": "24hrMiniTicker", "E": now_ms, "s": self._symbol, **told}


_BY_SUBJECT: dict[str, type[DepthChanges | BestPrices | Trade | LastDay | FewOfLastDay]] = {
    "depth": DepthChanges,
    "bookTicker": BestPrices,
    "trade": Trade,
    "aggTrade": AggregateTrade,
    "ticker": LastDay,
    "miniTicker": FewOfLastDay,
}


def stream_content(stream: Stream, market: Market) -> Content:
    """Return the content of *stream*, starting from the market as it is."""
    return _BY_SUBJECT[stream.subject](market, stream.symbol)
