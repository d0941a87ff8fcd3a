"""Numbering rules: how many updates are missing before this one. The state is the last number.

prev_link   an update names its predecessor; a wrong predecessor is at least one missing update
            and counts as one, because such numbers are not consecutive
plus_one    every number left out is one missing update
range       an update covers numbers; what begins behind the number after the last one follows at
            least one missing update, and counts as one
monotonic   numbers only grow: nothing missing can be seen, going back can
A number that goes back begins the numbering anew; it is a problem to tell, not a gap. A number is a
whole one, or a text of digits: JavaScript loses digits of 64-bit numbers, so that many write texts.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from capacity.workload.dialects.dialect import Sequence, Snapshot
from capacity.workload.dialects.matching import MISSING, item_getter, matches

MOST_MISSED = 1_000_000
"""A wider leap is no loss but numbering begun anew; it counts as one."""
MOST_DIGITS = 40
"""A longer text is no number."""

Check = Callable[[Any, Any, int | None], tuple[int | None, int | None, str | None]]
"""(frame, item, last number) -> (number to keep, missing updates, problem); without a number that
can be read, nothing is known of what is missing (None)."""


def rule_for(rules: tuple[Sequence, ...], channel: str) -> Sequence | None:
    """Return the first rule that fits *channel*; None if none does or it checks nothing."""
    for rule in rules:
        if fnmatchcase(channel, rule.only):
            return None if rule.rule == "none" else rule
    return None


def as_number(value: Any) -> int | None:
    """Return a whole number, also one that is written as a text; None for anything else."""
    if type(value) is int:
        return value
    if type(value) is str and len(value) <= MOST_DIGITS and value.isascii():
        return int(value) if value.removeprefix("-").isdecimal() else None
    return None


def check_by(rule: Sequence) -> Check:
    """Return *rule* as a function."""
    seq_of = item_getter(rule.seq or "")
    before_of = item_getter(rule.prev or rule.first or "")
    is_linked, is_range = rule.rule == "prev_link", rule.rule == "range"
    is_snapshot = _snapshot_test(rule.snapshot) if rule.snapshot else None
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


def _snapshot_test(snapshot: Snapshot) -> Callable[[Any, Any], bool]:
    absent = item_getter(snapshot.missing) if snapshot.missing is not None else None
    fits = matches(snapshot.where) if snapshot.where is not None else None

    def is_snapshot(frame: Any, item: Any) -> bool:
        return (absent is not None and absent(frame, item) is MISSING) or (
            fits is not None and fits(frame)
        )

    return is_snapshot
