"""What the updates of a channel say: one class a subject, no subscribers and no clock.

`first` is for a subscriber that joins, `absorb` notes a move of the market, `update` is what all
subscribers are told of the moves since the update before.
"""

from typing import Any, Protocol

from capacity.exchange.market.book import Change, Level, changes_between, grouped_levels
from capacity.exchange.market.channels import Channel, Subject
from capacity.exchange.market.market import Market


class Content(Protocol):
    def first(self, now_ms: int) -> Any | None: ...

    def absorb(self, now_ms: int) -> None: ...

    def update(self, now_ms: int) -> Any | None:
        """Return what there is to tell; None where that is nothing."""
        ...


class BookChanges:
    """A snapshot, then changes chained by their ids.

    The snapshot is the book as last published, not as it is: the next change must follow on it.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._published = market.book.copy()
        self._change_id = market.change_id

    def first(self, now_ms: int) -> dict[str, Any]:
        book = self._published
        return {
            "type": "snapshot",
            "timestamp": now_ms,
            "instrument_name": self._market.instrument.name,
            "change_id": self._change_id,
            "bids": self._priced([("new", *level) for level in book.bids()]),
            "asks": self._priced([("new", *level) for level in book.asks()]),
        }

    def absorb(self, now_ms: int) -> None:
        """The difference to the published book is all that counts."""

    def update(self, now_ms: int) -> dict[str, Any]:
        before, after = self._published, self._market.book.copy()
        previous_id, self._change_id = self._change_id, self._market.change_id
        self._published = after
        return {
            "type": "change",
            "timestamp": now_ms,
            "prev_change_id": previous_id,
            "change_id": self._change_id,
            "instrument_name": self._market.instrument.name,
            "bids": self._priced(changes_between(before.bids(), after.bids())),
            "asks": self._priced(changes_between(before.asks(), after.asks())),
        }

    def _priced(self, changes: list[Change]) -> list[tuple[str, float, float]]:
        price_at = self._market.instrument.price_at
        return [(action, price_at(ticks), amount) for action, ticks, amount in changes]


class BookLevels:
    """The best levels of both sides, whole each time."""

    def __init__(self, market: Market, *, group: float | None, depth: int) -> None:
        self._market = market
        tick_size = market.instrument.tick_size
        self._group_ticks = 1 if group is None else max(1, round(group / tick_size))
        self._depth = depth

    def first(self, now_ms: int) -> dict[str, Any]:
        return self.update(now_ms)

    def absorb(self, now_ms: int) -> None:
        """Each update is whole."""

    def update(self, now_ms: int) -> dict[str, Any]:
        book, group_ticks = self._market.book, self._group_ticks
        bids = grouped_levels(book.bids(), group_ticks=group_ticks, upwards=False)
        asks = grouped_levels(book.asks(), group_ticks=group_ticks, upwards=True)
        return {
            "timestamp": now_ms,
            "instrument_name": self._market.instrument.name,
            "change_id": self._market.change_id,
            "bids": self._priced(bids),
            "asks": self._priced(asks),
        }

    def _priced(self, levels: list[Level]) -> list[tuple[float, float]]:
        price_at = self._market.instrument.price_at
        return [(price_at(ticks), amount) for ticks, amount in levels[: self._depth]]


class Ticker:
    def __init__(self, market: Market) -> None:
        self._market = market

    def first(self, now_ms: int) -> dict[str, Any]:
        return self.update(now_ms)

    def absorb(self, now_ms: int) -> None:
        """Each update is whole."""

    def update(self, now_ms: int) -> dict[str, Any]:
        return {"timestamp": now_ms} | self._market.ticker()


class Quote(Ticker):
    def update(self, now_ms: int) -> dict[str, Any]:
        return self._market.quote() | {"timestamp": now_ms}


class Trades:
    """Every trade exactly once; nothing for who joins."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._untold: list[dict[str, Any]] = []

    def first(self, now_ms: int) -> None:  # noqa: ARG002 - one signature for all contents
        return None

    def absorb(self, now_ms: int) -> None:
        self._untold.append(self._market.last_trade | {"timestamp": now_ms})

    def update(self, now_ms: int) -> list[dict[str, Any]]:  # noqa: ARG002 - trades have their own times
        told, self._untold = self._untold, []
        return told


def content_of(channel: Channel, market: Market) -> Content:
    """Return the content of *channel*, starting from the market as it is."""
    match channel.subject:
        case Subject.BOOK_CHANGES:
            return BookChanges(market)
        case Subject.BOOK_LEVELS:
            return BookLevels(market, group=channel.group, depth=channel.depth)
        case Subject.TICKER:
            return Ticker(market)
        case Subject.QUOTE:
            return Quote(market)
        case Subject.TRADES:
            return Trades(market)
