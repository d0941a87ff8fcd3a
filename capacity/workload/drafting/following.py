"""Which frames of a recording are updates, and how they tell their channel.

What proves a channel's name is that both sides say it: it stands in a request of the client and
again, at one place, in most of what the server sends.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

from capacity.workload.dialects.matching import MISSING, name_getter
from capacity.workload.drafting.leaves import leaves, telling, telling_kinds, texts

_USUAL = re.compile(
    r"(^|\.)(channel|topic|stream|subject|destination|ch|symbol|s|product_id|instId|instrument_name"
    r"|instrument|market|pair|sym|coin|table|room|name)$"
)
_SYMBOL = re.compile(
    r"(?:[A-Za-z]{1,4}[-_])?[A-Za-z0-9]{1,12}[-_/]?(?:USDT|USDC|USD|EUR|GBP|JPY|KRW|BTC|XBT|ETH|PERPETUAL|PERP)"
    r"(?:[-_][A-Za-z0-9]+)*",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\{([^{}]+)\}")
_PIECE = re.compile(r"[A-Za-z0-9]+")
_PART = re.compile(r"[^.:@|,/]+")
_NO_NAME = re.compile(r"[\d.]+|(\w+/)?(un)?subscribe|true|false|json")
"""Said by both sides, too."""
_MOST_FRAMES = 400
_TENTHS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What of a recording is an update, and of which channel."""

    where: dict[str, Any]
    key: str | None
    """Name of the channel, as data.key takes it."""
    parts: tuple[str, ...]
    """Paths that it is read from."""
    updates: tuple[int, ...]
    """Numbers of the frames that are updates."""
    names: tuple[str, ...]
    """Channels, in the order of their first update."""
    is_proven: bool
    """Both sides name them."""


def following(asked: Sequence[Any], heard: Sequence[Any]) -> Following | None:
    """Return what of *heard*, parsed frames of the server, is an update; None if nothing is.

    *asked* are the parsed frames of the client.
    """
    said = {value for frame in asked for value in texts(frame).values()}
    said = {value for value in said if len(value) > 1 and not _NO_NAME.fullmatch(value.lower())}
    keys = [*_said_by_both(said, asked, heard), *_usual(heard)]
    for key, is_proven in keys:
        found = _updates_by(key, heard, said if is_proven else None, len(asked))
        if found is not None:
            return _of(key, found, heard, is_proven=is_proven)
    return _without_names(heard)


def _said_by_both(
    said: set[str], asked: Sequence[Any], heard: Sequence[Any]
) -> Iterator[tuple[str, bool]]:
    """Yield names whose values the client said, those first that most frames have."""
    counts: Counter[str] = Counter()
    for frame in heard[:_MOST_FRAMES]:
        found = texts(frame)
        hits = [path for path, value in found.items() if value in said]
        counts.update(hits)
        if len(hits) > 1:
            counts.update(f"{{{one}}}:{{{two}}}" for one, two in combinations(sorted(hits)[:4], 2))
        counts.update(_put_together(found, said))
    pairs = _said_in_one_item(asked)
    most = max(counts.values(), default=1)

    def rank(one: tuple[str, int]) -> tuple[bool, int, int, bool, int, int, str]:
        key, frames = one
        names = _said_names(key, said, heard)
        # First what looks like a symbol, in about as many frames, telling more channels apart, asked
        # for in one breath; then the plainer.
        return (
            not any(_SYMBOL.search(name) for name in names),
            -round(_TENTHS * frames / most),
            -len(names),
            not any(tuple(name.split(":", 1)) in pairs for name in names),
            -frames,
            len(key),
            key,
        )

    yield from ((key, True) for key, _ in sorted(counts.items(), key=rank))


def _said_names(key: str, said: set[str], heard: Sequence[Any]) -> set[str]:
    """Return the channels that *key* names of which the client said all parts, or the whole."""
    get = name_getter(key)
    parts = [name_getter(path) for path in _PLACE.findall(key)] or [get]
    names = set()
    for frame in heard[:_MOST_FRAMES]:
        name = get(frame)
        if type(name) is str and (name in said or all(part(frame) in said for part in parts)):
            names.add(name)
    return names


def _said_in_one_item(asked: Sequence[Any]) -> set[tuple[str, ...]]:
    """Return the pairs of texts that stand in one object of a list in a request."""
    pairs: set[tuple[str, ...]] = set()
    for frame in asked:
        by_object: dict[str, list[str]] = {}
        for path, value in texts(frame).items():
            above = path.rpartition(".")[0]
            if above.rpartition(".")[2].isdecimal():
                by_object.setdefault(above, []).append(value)
        for values in by_object.values():
            pairs.update(permutations(values[:12], 2))
    return pairs


def _put_together(found: dict[str, str], said: set[str]) -> Iterator[str]:
    """Yield names of two parts, as where trade:XBTUSD was asked for and both come apart."""
    for wanted in said:
        inner = [(path, value) for path, value in found.items() if value and value in wanted]
        for (one, first), (two, second) in combinations(inner, 2):
            for (left, a), (right, b) in (
                ((one, first), (two, second)),
                ((two, second), (one, first)),
            ):
                sign = wanted[len(a) : len(wanted) - len(b)]
                if len(sign) == 1 and not sign.isalnum() and wanted == a + sign + b:
                    yield f"{{{left}}}{sign}{{{right}}}"


def _usual(heard: Sequence[Any]) -> Iterator[tuple[str, bool]]:
    """Yield paths whose keys are often a channel's name."""
    counts = Counter(
        path
        for frame in heard[:_MOST_FRAMES]
        for path, value in texts(frame).items()
        if _USUAL.search(path) and value
    )
    yield from (
        (path, False) for path, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )


def _updates_by(
    key: str, heard: Sequence[Any], said: set[str] | None, requests: int
) -> list[int] | None:
    """Return the frames that are updates if channels are named by *key*: those that come again."""
    get = name_getter(key)
    groups: dict[frozenset[str], list[int]] = {}
    for n, frame in enumerate(heard):
        value = get(frame)
        if value is MISSING or type(value) is not str:
            continue
        if said is not None and "{" not in key and value not in said:
            continue
        groups.setdefault(_shape(frame), []).append(n)
    if not groups:
        return None
    most = max(len(each) for each in groups.values())
    kept = [
        each
        for shape, each in groups.items()
        if len(each) == most or not _is_answer(shape, [heard[n] for n in each], requests)
    ]
    found = sorted(n for each in kept for n in each)
    return found if len(found) > 1 else None


def _shape(frame: Any) -> frozenset[str]:
    if type(frame) is list:
        return frozenset({f"list of {len(frame)}"})
    words = (
        f"{key}={value}"
        for key, value in frame.items()
        if key in {"method", "event", "op", "e"} and type(value) is str
    )
    return frozenset({*frame, *words})


def _is_answer(shape: frozenset[str], frames: Sequence[Any], requests: int) -> bool:
    """Tell whether frames of one shape, fewer than others, answer requests."""
    if len(frames) > max(1, requests) * 4:
        return False
    words = [str(value).lower() for _path, value in leaves(frames[0]) if type(value) is str]
    return bool(shape & {"success", "id", "req_id", "reqid", "result", "error", "code"}) or any(
        ("subscri" in word and word != "subscription") or word in {"error", "ack", "ok"}
        for word in words
    )


def _of(key: str, updates: list[int], heard: Sequence[Any], *, is_proven: bool) -> Following | None:
    get = name_getter(key)
    named = [heard[n] for n in updates]
    chosen = set(updates)
    others = [heard[n] for n in range(len(heard)) if n not in chosen]
    parts = _PLACE.findall(key) or [key]
    where = (
        telling(named, others)
        or telling_kinds(named, others, parts)
        or {parts[0]: {"exists": True}}
    )
    return Following(
        where=where,
        key=key,
        parts=tuple(parts),
        updates=tuple(updates),
        names=tuple(dict.fromkeys(str(get(frame)) for frame in named)),
        is_proven=is_proven,
    )


def _without_names(heard: Sequence[Any]) -> Following | None:
    """Return the most frequent frames as updates of the one channel that there is."""
    groups: dict[frozenset[str], list[int]] = {}
    for n, frame in enumerate(heard):
        groups.setdefault(_shape(frame), []).append(n)
    if not groups:
        return None
    updates = max(groups.values(), key=len)
    chosen = set(updates)
    others = [heard[n] for n in range(len(heard)) if n not in chosen]
    where = telling([heard[n] for n in updates], others)
    return Following(
        where=where or {},
        key=None,
        parts=(),
        updates=tuple(updates),
        names=(),
        is_proven=False,
    )


def symbol_in(name: str, symbols: Sequence[str], names: Sequence[str]) -> str | None:
    """Return which part of a channel's *name* is the symbol; None if nothing of it is.

    *symbols* are known; otherwise what looks like a pair of currencies, or the part in which *names*
    of several channels differ.
    """
    for symbol in sorted(symbols, key=len, reverse=True):
        if symbol in name:
            return symbol
    if symbols:
        return None
    parts = _PART.findall(name)
    for candidate in (name, *parts, *_PIECE.findall(name)):
        if _SYMBOL.fullmatch(candidate):
            return str(candidate)
    # A slash divides some symbols.
    found = _SYMBOL.search(name)
    if found and "/" in found[0]:
        return str(found[0])
    others = [_PART.findall(other) for other in names if other != name]
    for n, part in enumerate(parts):
        alike = [other for other in others if len(other) == len(parts)]
        if alike and all(
            other[:n] == parts[:n] and other[n + 1 :] == parts[n + 1 :] for other in alike
        ):
            return str(part)
    return name if len(parts) == 1 and len(names) > 1 else None
