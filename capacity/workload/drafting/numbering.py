"""Where the updates of a recording tell their time and their number."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from capacity.workload.dialects.matching import as_number, getter
from capacity.workload.dialects.moment import PER_S, Time, clock_by
from capacity.workload.drafting.leaves import leaves

_NEAR_S = 86_400.0
_EARLIEST_S, _LATEST_S = 1_420_000_000.0, 4_100_000_000.0
"""2015 to 2099: what a time is taken for where nobody recorded when it came."""
_HOLDS = 0.95
"""Share of the steps that a rule must hold for: a recording may have gaps."""
_TIME_NAMES = ("ts", "timestamp", "time", "E", "T", "t", "event_time", "sent", "published")
_SEQUENCE_NAMES = ("seq", "sequence", "sequence_num", "offset", "change_id", "u", "n", "id")
_LOOKED_AT = 50


def time_of(updates: Sequence[tuple[Any, float | None]]) -> tuple[int, str, str] | None:
    """Return how many tell their time, and path and unit of the time that most *updates*, each with when it came, tell."""
    found: list[tuple[int, bool, int, int, str, str]] = []
    paths = dict.fromkeys(
        path for update, _at in updates[:_LOOKED_AT] for path in outside_lists(update)
    )
    for path in paths:
        for unit in (*PER_S, "rfc3339"):
            told = [_time(path, unit, update, at) for update, at in updates]
            times = [time for time in told if time is not None]
            if 2 * len(times) >= len(updates):
                is_coarse = len(times) > 1 and all(time.is_integer() for time in times)
                name = path.rpartition(".")[2]
                rank = _TIME_NAMES.index(name) if name in _TIME_NAMES else len(_TIME_NAMES)
                found.append((-len(times), is_coarse, path.count("."), rank, path, unit))
    if not found:
        return None
    most, _is_coarse, _depth, _rank, path, unit = min(found)
    return -most, path, unit


def outside_lists(tree: Any) -> list[str]:
    """Return the paths in *tree* that lead through no list; a list at its root is none."""
    return [
        path
        for path, _value in leaves(tree)
        if not any(step.isdecimal() for step in path.split(".")[type(tree) is list :])
    ]


def _time(path: str, unit: str, frame: Any, at: float | None) -> float | None:
    """Return the time at *path*; None where what stands there is none of when it came."""
    clock = clock_by(Time(path=path, unit=unit))  # type: ignore[arg-type]
    told = clock(frame, frame)
    if told is None:
        return None
    is_near = abs(told - at) < _NEAR_S if at is not None else _EARLIEST_S < told < _LATEST_S
    return told if is_near else None


def sequences_of(
    channels: Sequence[Sequence[Any]], all_updates: Sequence[Any], taken: Iterable[str]
) -> dict[str, Any] | None:
    """Return the numbering rule that holds, as the dialect has it; None if none is found.

    *channels* are the updates of each channel, *taken* the paths that mean something else.
    """
    paths = [
        path
        for path in _numeric(all_updates or channels[0])
        if path not in set(taken) and path.rpartition(".")[2] not in {"price", "size", "qty"}
    ]
    long_ones = [updates for updates in channels if len(updates) > 2]
    for path in paths:
        if long_ones and all(_holds(updates, path, _next) for updates in long_ones):
            return {"rule": "plus_one", "seq": path}
    for path in paths:
        if len(all_updates) > 2 and _holds(all_updates, path, _next):
            return {"rule": "plus_one", "seq": path, "scope": "connection"}
    for path in paths:
        for other in paths:
            if other == path or not long_ones:
                continue
            if all(_linked(updates, path, other, 0) for updates in long_ones):
                return {"rule": "prev_link", "seq": path, "prev": other}
            if all(_linked(updates, path, other, 1) for updates in long_ones):
                return {"rule": "range", "seq": path, "first": other}
    return None


def _numeric(updates: Sequence[Any]) -> list[str]:
    """Return the paths of whole numbers that change, those first that are called so."""
    last = updates[-1]
    paths = [
        path
        for path in outside_lists(last)
        if as_number(getter(path)(last)) is not None
        and len({as_number(getter(path)(update)) for update in updates}) > len(updates) // 4
    ]

    def rank(path: str) -> tuple[int, int, str]:
        name = path.rpartition(".")[2]
        known = name in _SEQUENCE_NAMES
        return (_SEQUENCE_NAMES.index(name) if known else 99, path.count("."), path)

    return sorted(paths, key=rank)


def _next(before: int, after: int) -> bool:
    return after == before + 1


def _holds(updates: Sequence[Any], path: str, rule: Callable[[int, int], bool]) -> bool:
    numbers = [as_number(getter(path)(update)) for update in updates]
    steps = [
        (before, after)
        for before, after in pairwise(numbers)
        if before is not None and after is not None
    ]
    return len(steps) > 1 and sum(rule(*step) for step in steps) >= _HOLDS * len(steps)


def _linked(updates: Sequence[Any], path: str, other: str, ahead: int) -> bool:
    """Tell whether *other* of each update is *path* of the one before, or *ahead* of it."""
    of, link = getter(path), getter(other)
    pairs = [
        (as_number(of(before)), as_number(link(after)), as_number(of(after)))
        for before, after in pairwise(updates)
    ]
    known = [
        last + ahead == linked and now > last
        for last, linked, now in pairs
        if last is not None and linked is not None and now is not None
    ]
    return len(known) > 1 and sum(known) >= _HOLDS * len(known)
