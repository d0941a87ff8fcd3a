"""Numbering rules: how many updates are missing before this one. The state is the last number.

prev_link   an update names its predecessor; a wrong predecessor is at least one missing update
            and counts as one, because such numbers are not consecutive
plus_one    every number left out is one missing update
monotonic   numbers only grow: nothing missing can be seen, going back can
A number that goes back begins the numbering anew; it is a problem to tell, not a gap.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from capacity.workload.dialect import Sequence
from capacity.workload.matching import MISSING, item_getter

MOST_MISSED = 1_000_000
"""A wider leap is no loss but numbering begun anew; it counts as one."""

Check = Callable[[Any, Any, int | None], tuple[int | None, int, str | None]]
"""(frame, item, last number) -> (number to keep, missing updates, problem)"""


def rule_for(rules: tuple[Sequence, ...], channel: str) -> Sequence | None:
    """Return the first rule that fits *channel*; None if none does or it checks nothing."""
    for rule in rules:
        if fnmatchcase(channel, rule.only):
            return None if rule.rule == "none" else rule
    return None


def check_by(rule: Sequence) -> Check:
    """Return *rule* as a function."""
    seq_of = item_getter(rule.seq or "")
    prev_of = item_getter(rule.prev) if rule.rule == "prev_link" and rule.prev else None
    absent_in_snapshots = item_getter(rule.snapshot.missing) if rule.snapshot else None
    is_consecutive = rule.rule == "plus_one"

    def check(frame: Any, item: Any, last: int | None) -> tuple[int | None, int, str | None]:
        seq = seq_of(frame, item)
        if type(seq) is not int:
            return last, 0, f"no whole number at {rule.seq}"
        if last is None or (
            absent_in_snapshots is not None and absent_in_snapshots(frame, item) is MISSING
        ):
            return seq, 0, None
        if prev_of is not None:
            return seq, int(prev_of(frame, item) != last), None
        if seq < last:
            return seq, 0, f"the sequence went back from {last} to {seq}"
        missed = max(seq - last - 1, 0) if is_consecutive else 0
        return seq, missed if missed <= MOST_MISSED else 1, None

    return check
