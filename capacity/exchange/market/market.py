"""The synthetic market of one instrument: a random walk of the price under a living book.

Everything follows from the seed and the number of moves; there is no clock here, so that the
same seed tells the same story at any pace.
"""

from random import Random
from typing import Any

from capacity.exchange.market.book import DEPTH, Book
from capacity.exchange.market.instruments import Instrument, Kind

_PRICE_MOVES = 0.15
"""Share of the moves that shift the price by a tick; the others change an amount or two."""
_ONE_SIDE_CHANGES = 0.7
"""Share of those others that touch one side only."""


class Market:
    """State of one instrument; `advance` is one move: a trade and a change of the book."""

    def __init__(self, instrument: Instrument, seed: int) -> None:
        self.instrument = instrument
        self._rng = Random(f"{seed}:{instrument.name}")  # noqa: S311 - a market, not a secret
        self.book = Book(
            best_bid_ticks=instrument.first_ticks,
            bid_amounts=[self._amount() for _ in range(DEPTH)],
            ask_amounts=[self._amount() for _ in range(DEPTH)],
        )
        self.change_id = self._rng.randrange(10**9, 2 * 10**9)
        self.trade_seq = self._rng.randrange(10**5, 10**6)
        self.first_trade_seq = self.trade_seq + 1
        self.last_trade: dict[str, Any] = {}
        self.low_ticks = self.high_ticks = self.last_ticks = instrument.first_ticks
        self.volume = 0.0
        self.open_interest = self._amount() * 1_000
        self._trade("buy")

    def _amount(self) -> float:
        return round(self._rng.randint(1, 5_000) * self.instrument.contract_size, 1)

    def advance(self) -> None:
        """Make one move. Every move gives the book a new, higher change id; never by one step."""
        rng, book = self._rng, self.book
        self.change_id += rng.randint(2, 9)
        direction = "buy" if rng.random() < 0.5 else "sell"
        self._trade(direction)
        if rng.random() >= _PRICE_MOVES:
            sides = [book.bid_amounts, book.ask_amounts]
            if rng.random() < _ONE_SIDE_CHANGES:
                del sides[rng.randrange(2)]
            for amounts in sides:
                amounts[min(int(rng.expovariate(0.3)), DEPTH - 1)] = self._amount()
        elif direction == "buy" or book.best_bid_ticks <= 2 * DEPTH:
            book.move_up(bid_amount=self._amount(), ask_amount=self._amount())
        else:
            book.move_down(bid_amount=self._amount(), ask_amount=self._amount())

    def _trade(self, direction: str) -> None:
        book = self.book
        ticks = book.best_ask_ticks if direction == "buy" else book.best_bid_ticks
        amount = self._amount()
        tick_direction = 0 if ticks > self.last_ticks else 2 if ticks < self.last_ticks else 1
        self.last_ticks = ticks
        self.low_ticks, self.high_ticks = min(self.low_ticks, ticks), max(self.high_ticks, ticks)
        self.volume = round(self.volume + amount, 1)
        self.trade_seq += 1
        self.last_trade = {
            "trade_seq": self.trade_seq,
            "trade_id": f"{self.instrument.currency}-{self.trade_seq}",
            "tick_direction": tick_direction,
            "price": self.instrument.price_at(ticks),
            "mark_price": self.mark_price,
            "instrument_name": self.instrument.name,
            "index_price": self.index_price,
            "direction": direction,
            "amount": amount,
        }

    @property
    def mark_price(self) -> float:
        best_bid_ticks = self.book.best_bid_ticks
        return round((best_bid_ticks + 0.5) * self.instrument.tick_size, 5)

    @property
    def index_price(self) -> float:
        strike = self.instrument.strike
        return round(self.mark_price * 1.0002, 4) if strike is None else round(strike * 1.013, 4)

    def quote(self) -> dict[str, Any]:
        price_at, book = self.instrument.price_at, self.book
        return {
            "best_bid_price": price_at(book.best_bid_ticks),
            "best_bid_amount": book.bid_amounts[0],
            "best_ask_price": price_at(book.best_ask_ticks),
            "best_ask_amount": book.ask_amounts[0],
            "instrument_name": self.instrument.name,
        }

    def ticker(self) -> dict[str, Any]:
        """Return everything a trader's screen shows of the instrument, without its time."""
        instrument, mark_price = self.instrument, self.mark_price
        first = instrument.price_at(instrument.first_ticks)
        last = instrument.price_at(self.last_ticks)
        fields: dict[str, Any] = {
            "state": "open",
            "stats": {
                "high": instrument.price_at(self.high_ticks),
                "low": instrument.price_at(self.low_ticks),
                "price_change": round((last / first - 1) * 100, 4),
                "volume": self.volume,
                "volume_usd": round(self.volume * self.index_price, 2),
            },
            **self.quote(),
            "last_price": last,
            "mark_price": mark_price,
            "index_price": self.index_price,
            "settlement_price": first,
            "open_interest": self.open_interest,
            "min_price": round(mark_price * 0.985, 4),
            "max_price": round(mark_price * 1.015, 4),
        }
        if instrument.kind is Kind.FUTURE:
            premium = round(mark_price / self.index_price - 1, 8)
            return fields | {
                "estimated_delivery_price": self.index_price,
                "current_funding": premium,
                "funding_8h": round(premium / 3, 8),
                "interest_value": round(premium * 11, 8),
            }
        return fields | {
            "mark_iv": 61.48,
            "bid_iv": 60.92,
            "ask_iv": 62.05,
            "greeks": {
                "delta": round(0.5 + mark_price / 10, 5),
                "gamma": 0.00002,
                "vega": 61.94752,
                "theta": -32.30412,
                "rho": 20.11874,
            },
            "underlying_price": self.index_price,
            "underlying_index": f"{instrument.currency}-{instrument.expiry}",
            "interest_rate": 0.0,
        }
