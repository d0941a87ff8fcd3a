"""Numbering rules: how many updates are missing before this one. The state is the last number.

prev_link   an update names its predecessor; a wrong predecessor is at least one missing update
            and counts as one, because such numbers are not consecutive
plus_one    every number left out is one missing update
range       an update covers numbers; what begins behind the number after the last one follows at
            least one missing update, and counts as one
monotonic   numbers only grow: nothing missing can be seen, going back can
checksum    there are no numbers: a copy of the book tells (checksum.py)
A number that goes back begins the numbering anew; it is a problem to tell, not a gap. A number is a
whole one, or a text of digits: JavaScript loses digits of 64-bit numbers, so that many write texts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal

from capacity.workload.dialects.answers import VALIDATION
from capacity.workload.dialects.checksum import Book
from capacity.workload.dialects.matching import MISSING, Matcher, as_number, item_getter, matches

MOST_MISSED = 1_000_000
"""A wider leap is no loss but numbering begun anew; it counts as one."""

Check = Callable[[Any, Any, int | None], tuple[int | None, int | None, str | None]]
"""(frame, item, last number) -> (number to keep, missing updates, problem); without a number that
can be read, nothing is known of what is missing (None)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    __pydantic_config__: ClassVar = VALIDATION
    missing: str | None = None
    """An update without this path starts the numbering anew."""
    where: Matcher | None = None
    """So does one in a frame that fits this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """One numbering rule; a channel follows the first whose `only` fits."""

    __pydantic_config__: ClassVar = VALIDATION
    rule: Literal["prev_link", "plus_one", "range", "monotonic", "checksum", "none"]
    """prev_link: names its predecessor; plus_one: no number is left out; range: covers the numbers
    from first to seq, and the next begins behind them; monotonic: numbers only grow, so that
    nothing missing can be seen; checksum: a copy of the book is kept, and each update's checksum of it
    tells whether one is missing; none: no numbers. Texts of digits are numbers too."""
    only: str = "*"
    """Wire names the rule is for, with * and ? as in file names."""
    scope: Literal["key", "connection"] = "key"
    """What is numbered: each channel for itself, or all updates of the connection."""
    where: Matcher | None = None
    """With scope connection: the rule is for frames that fit this, are no updates and are numbered
    among them, such as heartbeats."""
    seq: str | None = None
    """Path of the number; needed by every rule but checksum and none."""
    prev: str | None = None
    """Path of the predecessor's number; needed by prev_link."""
    first: str | None = None
    """Path of the first number that an update covers; needed by range."""
    snapshot: Snapshot | None = None
    """How to tell an update that starts the numbering, or the book, anew."""
    book: Book | None = None
    """The book that updates carry a checksum of; needed by checksum, and checked beside the number
    with any other rule."""


def rule_for(rules: tuple[Sequence, ...], channel: str) -> Sequence | None:
    """Return the first rule that fits *channel*; None if none does or it checks nothing."""
    for rule in rules:
        if rule.where is None and fnmatchcase(channel, rule.only):
            return None if rule.rule == "none" else rule
    return None


def check_by(rule: Sequence) -> Check:
    """Return *rule* as a function; where a checksum alone tells, nothing is known of numbers."""
    return _numberless if rule.rule == "checksum" else _check_of_numbers(rule)


def _numberless(_frame: Any, _item: Any, last: int | None) -> tuple[int | None, None, None]:
    return last, None, None


def _check_of_numbers(rule: Sequence) -> Check:
    seq_of = item_getter(rule.seq or "")
    before_of = item_getter(rule.prev or rule.first or "")
    is_linked, is_range = rule.rule == "prev_link", rule.rule == "range"
    is_snapshot = snapshot_test(rule.snapshot)
    is_consecutive = rule.rule == "plus_one"
    unnumbered = f"no whole number at {rule.seq}"
    unranged = f"no whole number at {rule.first}"

    def check(frame: Any, item: Any, last: int | None) -> tuple[int | None, int | None, str | None]:  # noqa: PLR0911 - one for each rule
        seq = seq_of(frame, item)
        if type(seq) is not int:
            seq = as_number(seq)
            if seq is None:
                return last, None, unnumbered
        if last is None or (is_snapshot is not None and is_snapshot(frame, item)):
            return seq, 0, None
        if is_linked:
            before = before_of(frame, item)
            if type(before) is not int:
                before = as_number(before)
            return seq, int(before != last), None
        if seq < last:
            return seq, 0, f"the sequence went back from {last} to {seq}"
        if is_consecutive:
            missed = seq - last - 1
            return seq, 0 if missed < 0 else missed if missed <= MOST_MISSED else 1, None
        if is_range:
            first = as_number(before_of(frame, item))
            return (last, None, unranged) if first is None else (seq, int(first > last + 1), None)
        return seq, 0, None

    return check


def snapshot_test(snapshot: Snapshot | None) -> Callable[[Any, Any], bool] | None:
    """Return (frame, item) -> whether it starts anew; None where nothing tells that."""
    if snapshot is None:
        return None
    absent = item_getter(snapshot.missing) if snapshot.missing is not None else None
    fits = matches(snapshot.where) if snapshot.where is not None else None

    def is_snapshot(frame: Any, item: Any) -> bool:
        return (absent is not None and absent(frame, item) is MISSING) or (
            fits is not None and fits(frame)
        )

    return is_snapshot
