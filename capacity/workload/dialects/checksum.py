"""Checksums of books: a copy is kept from the updates, and its CRC32 is laid beside the one that came.

kraken  the best 10 asks, then bids, each as price and size without point and leading zeros
        (docs.kraken.com, Book checksum, WebSocket v2)
okx     the best 25 levels as price:size, bid and ask in turns, joined by colons; signed, and 0 where
        none is sent (OKX API v5, order book channel)
Digits count, 0.10 is not 0.1: numbers are read as they were written. A checksum that does not fit is one
missing update; what follows is checked again once one fits, by a snapshot or because the book has come round.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, ClassVar, Final, Literal

from capacity.workload.dialects.answers import VALIDATION
from capacity.workload.dialects.matching import MISSING, Getter, as_number, getter, item_getter

TOP: Final = {"kraken": 10, "okx": 25}
"""Levels of each side that a checksum is of."""
MOST_DEPTH = 10_000
MOST_LETTERS = 40
"""Of a price or a size; a longer one is none."""
_SIGNED = 1 << 32
_exactly = json.JSONDecoder(parse_float=str, parse_int=str).decode
_UNREADABLE = (ValueError, RecursionError)

Level = tuple[float, str]
"""What it is sorted by, best first, and what the checksum reads of it; nothing for one that is gone."""
Verdict = tuple[int | None, str | None]
"""1 for a checksum that does not fit, 0 for one that does, None where none could be checked; problem."""
_UNKNOWN: Verdict = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The book that a checksum is of."""

    __pydantic_config__: ClassVar = VALIDATION
    form: Literal["kraken", "okx"]
    """Whose way of writing the book down for its CRC32."""
    depth: int | str
    """Levels of each side that are followed, or the path of that number in the channel's request: what
    lies beyond is forgotten, as the target forgets it."""
    checksum: str = "checksum"
    """Path of the checksum in the update."""
    bids: str = "bids"
    """Path of the list of bids that changed."""
    asks: str = "asks"
    """Path of the list of asks that changed."""
    price: str = "0"
    """Path of the price in a level; the digit counts places."""
    size: str = "1"
    """Path of the size in a level; a level of size 0 is gone."""
    share: float = 1.0
    """Share of subscriptions whose book is kept, the first one always: keeping one costs several times
    what reading an update does, and memory for its levels."""


class BookShare:
    """Which subscriptions keep a book, over all connections."""

    __slots__ = ("is_whole", "kept", "met")

    def __init__(self) -> None:
        self.is_whole = False
        """All do, whatever the dialect says."""
        self.met = self.kept = 0

    def takes(self, share: float) -> bool:
        """Tell whether the next subscription keeps its book."""
        self.met += 1
        is_taken = self.is_whole or self.kept < share * self.met
        self.kept += is_taken
        return is_taken


class BookRule:
    """A book section as functions, shared by all connections."""

    __slots__ = (
        "_price",
        "_size",
        "_write",
        "asks",
        "bids",
        "checksum",
        "depth",
        "source",
        "told_at",
    )

    def __init__(self, source: Book, depth: int) -> None:
        self.source, self.depth = source, depth
        self.told_at = item_getter(source.checksum)
        self.bids, self.asks = item_getter(source.bids), item_getter(source.asks)
        self._price, self._size = getter(source.price), getter(source.size)
        self._write = _for_kraken if source.form == "kraken" else _for_okx
        self.checksum = _of_kraken if source.form == "kraken" else _of_okx

    def levels(self, found: Any, sign: float) -> list[Level] | None:
        """Return the levels of a list, sorted by *sign* times their price; None if one cannot be read."""
        if found is MISSING:
            return []
        if type(found) is not list:
            return None
        levels = []
        for each in found:
            price, size = self._price(each), self._size(each)
            if not (_is_decimal(price) and _is_decimal(size)):
                return None
            levels.append((sign * float(price), self._write(price, size) if float(size) else ""))
        return levels


class KeptBook:
    """One subscription's copy. It holds no more levels than its rule follows."""

    __slots__ = ("_asks", "_bids", "_fits", "_has_begun", "_rule")

    def __init__(self, rule: BookRule) -> None:
        self._rule = rule
        self.forget()

    def forget(self) -> None:
        """Wait for the next snapshot."""
        self._has_begun = self._fits = False
        self._bids, self._asks = _Side(), _Side()

    def take(
        self,
        frame: Any,
        item: Any,
        exact: Callable[[], tuple[Any, Any]],
        *,
        is_snapshot: bool | None,
    ) -> Verdict:
        """Apply one update, and return whether its checksum fits.

        *exact* returns frame and item with all numbers as texts. A snapshot begins the book; where
        none can be told (None) the first update does.
        """
        is_first = not self._has_begun if is_snapshot is None else is_snapshot
        if is_first:
            self.forget()
        elif not self._has_begun:
            return _UNKNOWN
        rule = self._rule
        changes = self._changes(frame, item) or self._changes(*exact())
        if changes is None:
            self.forget()
            return (
                None,
                f"checksum: a level at {rule.source.bids} or {rule.source.asks} cannot be read",
            )
        self._has_begun = True
        self._bids.apply(changes[0], rule.depth)
        self._asks.apply(changes[1], rule.depth)
        return self._verdict(rule.told_at(frame, item), is_first=is_first)

    def _changes(self, frame: Any, item: Any) -> tuple[list[Level], list[Level]] | None:
        if item is MISSING:
            return None
        rule = self._rule
        bids = rule.levels(rule.bids(frame, item), -1.0)
        asks = rule.levels(rule.asks(frame, item), 1.0) if bids is not None else None
        return None if bids is None or asks is None else (bids, asks)

    def _verdict(self, told: Any, *, is_first: bool) -> Verdict:
        rule, number = self._rule, as_number(told)
        if number is None:
            return None, f"no whole number at {rule.source.checksum}"
        if number == 0 and rule.source.form == "okx":
            return None, f"{rule.source.checksum} is 0: the target sends no checksum"
        top = TOP[rule.source.form]
        own = zlib.crc32(rule.checksum(self._bids.best(top), self._asks.best(top)).encode())
        did_fit, self._fits = self._fits or is_first, number in {own, own - _SIGNED}
        if self._fits:
            return 0, None
        if is_first:
            return None, f"checksum: the snapshot itself does not fit {number}"
        return (1, f"checksum: the book does not fit {number}") if did_fit else _UNKNOWN


class _Side:
    """Bids or asks, best first."""

    __slots__ = ("_keys", "_texts")

    def __init__(self) -> None:
        self._keys: list[float] = []
        self._texts: dict[float, str] = {}

    def apply(self, levels: Sequence[Level], depth: int) -> None:
        texts, keys = self._texts, self._keys
        known = len(texts)
        new = []
        for key, text in levels:
            if not text:
                texts.pop(key, None)
                continue
            if key not in texts:
                new.append(key)
            texts[key] = text
        if not new and len(texts) == known:
            return
        keys = [key for key in dict.fromkeys((*keys, *new)) if key in texts]
        keys.sort()
        for key in keys[depth:]:
            del texts[key]
        self._keys = keys[:depth]

    def best(self, top: int) -> list[str]:
        texts = self._texts
        return [texts[key] for key in self._keys[:top]]


def exact_item(message: bytes, items: Getter | None, place: int) -> tuple[Any, Any]:
    """Return frame and item of a JSON message, with all numbers as the texts they were written as."""
    try:
        frame = _exactly(message.decode())
    except _UNREADABLE:
        return MISSING, MISSING
    found = frame if items is None else items(frame)
    return frame, found[place] if type(found) is list else found


def _is_decimal(text: Any) -> bool:
    return (
        type(text) is str
        and len(text) <= MOST_LETTERS
        and text.isascii()
        and text.replace(".", "", 1).isdecimal()
    )


def _for_kraken(price: str, size: str) -> str:
    return price.replace(".", "").lstrip("0") + size.replace(".", "").lstrip("0")


def _of_kraken(bids: Iterable[str], asks: Iterable[str]) -> str:
    return "".join((*asks, *bids))


def _for_okx(price: str, size: str) -> str:
    return f"{price}:{size}"


def _of_okx(bids: Iterable[str], asks: Iterable[str]) -> str:
    return ":".join(
        text for text in chain.from_iterable(zip_longest(bids, asks)) if text is not None
    )
