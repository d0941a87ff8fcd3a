"""The last trades of a symbol, kept from the first time that somebody asked for them."""

from collections import deque
from typing import Any

from capacity.exchange.binance.spot_figures import now_ms, text
from capacity.exchange.binance.streams import instrument_of
from capacity.exchange.market.market import Market

MOST_TRADES = 1000


class RecentTrades:
    """A feed's content, which is never told."""

    interval_s = 0.0
    envelope = b"", b""

    def __init__(self, market: Market, symbol: str) -> None:
        self._market = market
        self.name = f"{symbol} recent trades"
        self.instrument = instrument_of(symbol)
        self.trades: deque[dict[str, Any]] = deque(maxlen=MOST_TRADES)
        """The oldest first, as REST tells them."""
        self.absorb(now_ms())

    def first(self, now_ms: int) -> None:
        """Nobody is told."""

    def absorb(self, now_ms: int) -> None:
        trade = self._market.last_trade
        self.trades.append(
            {
                "id": trade["trade_seq"],
                "price": text(trade["price"]),
                "qty": text(trade["amount"]),
                "quoteQty": text(trade["price"] * trade["amount"]),
                "time": now_ms,
                "isBuyerMaker": trade["direction"] == "sell",
                "isBestMatch": True,
            }
        )

    def update(self, now_ms: int) -> None:
        """Nobody is told."""

    def deliver(self, frame: bytes) -> None:
        """Follow oneself, so that the feed is kept."""
