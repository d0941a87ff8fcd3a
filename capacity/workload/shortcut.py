"""Reads an update's channel, time and number out of its bytes, without parsing the rest.

A shortcut is learned from an update that was parsed in full: the JSON text up to the last value
that matters becomes a pattern in which every key and bracket stands as it stood, and every value is
open. What fits the pattern therefore has those values at the same paths; what does not fit, or is
not next in sequence, is parsed in full. So is one update in CHECK_EVERY, for comparison.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from capacity.workload.dialect import Dialect, Sequence
from capacity.workload.moment import LATEST_S, PER_S

CHECK_EVERY = 64
MOST_SHORTCUTS = 4
MOST_LESSONS = 16
"""Updates to learn from before a dialect counts as too varied."""
LONGEST_BYTES = 512
"""Values that stand further back are not worth a pattern."""
MOST_MISSES = 1000
"""Updates without a shortcut, each hit in a check counting against CHECK_EVERY of them, before
trying costs more than it saves."""

_TOKEN = re.compile(rb'\s*([{}\[\]:,]|"(?:[^"\\]|\\.)*"|[^\s{}\[\]:,"]+)')
_STRING = rb'"[^"\\]*"'
_NUMBER = rb"-?[0-9.eE+-]+"
_WORD = rb"(?:true|false|null)"
_END = rb"(?=[,:{}\[\]\"\s])"
_OPEN = {
    "channel": rb'"([^"\\]*)"',
    "time": rb"([0-9]+(?:\.[0-9]+)?)",
    "seq": rb"(-?[0-9]+)",
    "prev": rb"(-?[0-9]+)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A pattern, and which of its groups is what; a number that is not there has group 0."""

    match: Callable[[bytes], re.Match[bytes] | None]
    channel_at: int
    """This group is empty where updates do not name their channel."""
    time_at: int
    seq_at: int
    prev_at: int
    per_s: float
    """Units of time in a second."""
    rule: Sequence | None

    def seconds(self, found: re.Match[bytes]) -> float | None:
        """Return epoch seconds; None outside what a clock may say."""
        at_s = float(found[self.time_at]) / self.per_s
        return at_s if 0.0 < at_s < LATEST_S else None

    def number(self, found: re.Match[bytes], last: int | None) -> int | None:
        """Return the update's number; None if it is not the one that follows *last*."""
        if last is None or self.rule is None:
            return None
        number = int(found[self.seq_at])
        if self.prev_at:
            return number if int(found[self.prev_at]) == last else None
        if self.rule.rule == "plus_one":
            return number if number == last + 1 else None
        return number if number >= last else None


class Lane(NamedTuple):
    """A channel whose updates a shortcut reads."""

    shortcut: Shortcut
    channel: str
    """Empty where updates do not name their channel."""
    numbered: str


@dataclass(slots=True)
class Shortcuts:
    """Those of one dialect, learned while updates come; shared by all its conversations."""

    dialect: Dialect
    known: list[Shortcut] = field(default_factory=list)
    lanes: dict[bytes, Lane] = field(default_factory=dict)
    """By the channel's name in the frame."""
    is_open: bool = True
    """There is something to gain: learning goes on or has succeeded."""
    _lessons: int = 0
    _misses: int = 0

    def __post_init__(self) -> None:
        time = self.dialect.time
        self.is_open = time is not None and time.unit in PER_S

    def fitting(self, payload: bytes, rule: Sequence | None) -> Shortcut | None:
        """Return the shortcut that reads *payload*, learned from it if need be."""
        for shortcut in self.known:
            if shortcut.rule is rule and shortcut.match(payload) is not None:
                self._misses = max(0, self._misses - CHECK_EVERY)
                return shortcut
        if len(self.known) == MOST_SHORTCUTS or self._lessons == MOST_LESSONS:
            self._misses += 1
            if self._misses > MOST_MISSES:
                self.give_up()
            return None
        self._lessons += 1
        learned = shortcut_of(payload, self.dialect, rule)
        if learned is not None:
            self.known.append(learned)
        return learned

    def give_up(self) -> None:
        """Parse everything from now on."""
        self.known.clear()
        self.lanes.clear()
        self.is_open = False


def shortcut_of(payload: bytes, dialect: Dialect, rule: Sequence | None) -> Shortcut | None:
    """Return the shortcut for updates that look like *payload*; None if there can be none."""
    roles = _roles(dialect, rule)
    literal = _tested(dialect)
    if roles is None or literal is None:
        return None
    time = dialect.time
    assert time is not None
    awaited = {*roles, *literal}
    pattern: list[bytes] = [] if dialect.data.key is not None else [b"()"]
    found: list[str] = [] if dialect.data.key is not None else ["channel"]
    done = 0
    for path, start, stop in _values(payload):
        text = payload[start:stop]
        role = roles.get(path)
        pattern.append(re.escape(payload[done:start]))
        done = stop
        if text in {b"{", b"["}:
            if role is not None:
                return None
            pattern.append(re.escape(text))
        else:
            pattern.append(_pattern(text, role, is_literal=literal.get(path, False)))
        if role is not None:
            found.append(role)
        awaited.discard(path)
        if not awaited:
            match = re.compile(b"".join(pattern) + _END).match
            at = {role: found.index(role) + 1 for role in found}
            return (
                Shortcut(
                    match=match,
                    channel_at=at["channel"],
                    time_at=at["time"],
                    seq_at=at.get("seq", 0),
                    prev_at=at.get("prev", 0),
                    per_s=PER_S[time.unit],
                    rule=rule,
                )
                if match(payload)
                else None
            )
    return None


def _roles(dialect: Dialect, rule: Sequence | None) -> Mapping[str, str] | None:
    """Return path from the frame's root -> what stands there; None if two stand at one place."""
    assert dialect.time is not None
    items = dialect.data.items
    paths = [("time", _from_root(dialect.time.path, items))]
    if dialect.data.key is not None:
        paths.append(("channel", dialect.data.key))
    if rule is not None:
        paths.append(("seq", _from_root(rule.seq or "", items)))
        if rule.prev is not None:
            paths.append(("prev", _from_root(rule.prev, items)))
    roles = {path: role for role, path in paths}
    return roles if len(roles) == len(paths) else None


def _tested(dialect: Dialect) -> Mapping[str, bool] | None:
    """Return the paths that tell an update -> whether the value matters; None if absence does."""
    tested = {}
    for path, expected in dialect.data.where.items():
        if isinstance(expected, dict) and "exists" in expected:
            if not expected["exists"]:
                return None
            tested[path] = False
        else:
            tested[path] = True
    return tested


def _from_root(path: str, items: str | None) -> str:
    if path.startswith("$."):
        return path[2:]
    return path if items is None else f"{items}.{path}"


def _pattern(text: bytes, role: str | None, *, is_literal: bool) -> bytes:
    if role == "time" and text.startswith(b'"'):
        return b'"' + _OPEN[role] + b'"'
    if role is not None:
        return _OPEN[role]
    if is_literal:
        return re.escape(text)
    if text.startswith(b'"'):
        return _STRING
    return _WORD if text in {b"true", b"false", b"null"} else _NUMBER


def _values(payload: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield (path, start, stop) of each value, for objects and lists of their opening bracket."""
    path: list[str] = []
    in_object: list[bool] = []
    is_key = False
    for token in _TOKEN.finditer(payload, 0, LONGEST_BYTES):
        start, stop = token.span(1)
        text = token[1]
        if is_key and text != b"}":
            path[-1] = text[1:-1].decode(errors="replace").replace(".", "\0")
            is_key = False
        elif text == b",":
            if not in_object:
                return
            is_key = in_object[-1]
            if not is_key:
                path[-1] = str(int(path[-1]) + 1)
        elif text in {b"}", b"]"}:
            if not in_object:
                return
            path.pop()
            in_object.pop()
            is_key = False
        elif text != b":" and stop < LONGEST_BYTES:
            yield ".".join(path), start, stop
            if text in {b"{", b"["}:
                in_object.append(text == b"{")
                path.append("" if text == b"{" else "0")
                is_key = text == b"{"
