"""Names of channels: what a subscriber may follow, and how often it is told.

book.{instrument}.{interval}                    changes
book.{instrument}.{group}.{depth}.{interval}    the best levels, whole
ticker.{instrument}.{interval}
trades.{instrument}.{interval}
quote.{instrument}
"""

from dataclasses import dataclass
from enum import Enum, auto

import orjson

INTERVALS_S = {"raw": 0.0, "100ms": 0.1, "agg2": 2.0}
_GROUPS = ("none", "1", "2", "5", "10", "25", "100", "250")
_DEPTHS = ("1", "10", "20")


class Subject(Enum):
    BOOK_CHANGES = auto()
    BOOK_LEVELS = auto()
    TICKER = auto()
    TRADES = auto()
    QUOTE = auto()


_BY_INTERVAL = {
    "book": Subject.BOOK_CHANGES,
    "ticker": Subject.TICKER,
    "trades": Subject.TRADES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    name: str
    subject: Subject
    instrument: str
    interval_s: float
    """Least time between two updates; 0 passes every one."""
    group: float | None = None
    """Price step of book levels; None leaves the ticks as they are."""
    depth: int = 0
    """Book levels on each side."""

    @property
    def envelope(self) -> tuple[bytes, bytes]:
        """Return what stands before and behind the data of an update."""
        name = orjson.dumps(self.name)
        head = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":%b,"data":' % name
        return head, b"}}"


def parsed_channel(name: str) -> Channel | None:
    """Return the channel called *name*, or None if no channel can be called so."""
    match name.split("."):
        case ["quote", instrument]:
            return Channel(name=name, subject=Subject.QUOTE, instrument=instrument, interval_s=0.0)
        case [first, instrument, interval] if first in _BY_INTERVAL and interval in INTERVALS_S:
            return Channel(
                name=name,
                subject=_BY_INTERVAL[first],
                instrument=instrument,
                interval_s=INTERVALS_S[interval],
            )
        case ["book", instrument, group, depth, interval] if (
            group in _GROUPS and depth in _DEPTHS and interval in INTERVALS_S
        ):
            return Channel(
                name=name,
                subject=Subject.BOOK_LEVELS,
                instrument=instrument,
                interval_s=INTERVALS_S[interval],
                group=None if group == "none" else float(group),
                depth=int(depth),
            )
    return None
