"""
What a run shows that the runs before it did not: capacity lost, another bottleneck, other limits.

Compared is with the last runs of the same job that may be compared (their fingerprints are equal).
A loss counts from 5 %, and from four times the scatter of those runs once there are five of them; with
fewer it is called weak, and the intervals must not overlap. A run that was chosen as baseline is compared
with as well, whatever came after it: runs that lose a little each time lose nothing against the last ones.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from capacity.domain import units
from capacity.domain.resources import Resource
from capacity.domain.words import RESOURCES
from capacity.models.drift import Drift, drift
from capacity.recording.history_row import HistoryRow, Outcome

WINDOW = 15
"""Latest comparable runs that a run is compared with."""
LEAST_EFFECT_RATIO = 0.05
_RECENT = 5
"""Runs among which a bottleneck must not have been, to be another one."""
_SAME_RATIO = 1e-3


class NoticeKind(StrEnum):
    CAPACITY_LOST = "capacity_lost"
    CAPACITY_GAINED = "capacity_gained"
    BELOW_BASELINE = "below_baseline"
    BOTTLENECK_CHANGED = "bottleneck_changed"
    LIMIT_LOWERED = "limit_lowered"
    LIMIT_RAISED = "limit_raised"
    LIMIT_CHANGED = "limit_changed"
    """It came, went, or cannot be told any more."""
    NOT_COMPARABLE = "not_comparable"
    RUNS_MISSED = "runs_missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that is not as it was."""

    kind: NoticeKind
    statement: str
    """One sentence with both values."""
    is_regression: bool
    is_weak: bool = False
    """Fewer than five runs to compare with."""

    @property
    def headline(self) -> str:
        """The notice as one line that says at once whether it is bad news."""
        if self.kind is NoticeKind.RUNS_MISSED:
            return f"Missed: {self.statement}"
        if not self.is_regression:
            return f"Changed: {self.statement}"
        return f"Regression{' (weak)' if self.is_weak else ''}: {self.statement}"


class Series:
    """Runs by what makes them comparable, to look up in many rows at once."""

    def __init__(self, rows: Iterable[HistoryRow]) -> None:
        self._rows: dict[tuple[str | None, ...], list[HistoryRow]] = {}
        for row in sorted(rows, key=lambda each: each.started_at):
            if row.outcome is Outcome.PLAN:
                self._rows.setdefault(_series(row), []).append(row)

    def before(self, row: HistoryRow) -> list[HistoryRow]:
        """Return the runs that *row* is compared with, the oldest first."""
        found = self._rows.get(_series(row), [])
        end = bisect_left(found, row.started_at, key=lambda each: each.started_at)
        return found[max(end - WINDOW, 0) : end]


def comparable(row: HistoryRow, earlier: Iterable[HistoryRow]) -> list[HistoryRow]:
    """Return the runs of *earlier* that *row* is compared with, the oldest first."""
    return Series(earlier).before(row)


def _series(row: HistoryRow) -> tuple[str | None, ...]:
    return row.job, row.target, row.profile, row.fingerprint


def notices(
    row: HistoryRow, earlier: Sequence[HistoryRow], baseline: HistoryRow | None = None
) -> list[Notice]:
    """Return what *row* shows that *earlier* runs, in any order, did not; regressions first.

    *baseline* is the run that was chosen to compare with, however old.
    """
    if row.outcome is not Outcome.PLAN:
        return []
    below = _below_baseline(row, baseline)
    before = comparable(row, earlier)
    if not before:
        return [*below, *_not_comparable(row, earlier)]
    capacity = _capacity(row, before)
    gained = any(notice.kind is NoticeKind.CAPACITY_GAINED for notice in capacity)
    found = [
        *capacity,
        *below,
        *_bottleneck(row, before[-_RECENT:], is_regression=not gained),
        *_limits(row, before[-1]),
    ]
    return sorted(found, key=lambda notice: not notice.is_regression)


def capacity_drift(row: HistoryRow, before: Sequence[HistoryRow]) -> Drift | None:
    """Return how the capacity stands to that of the runs *before*."""
    if row.capacity_mid_connections is None:
        return None
    values = [
        each.capacity_mid_connections
        for each in before
        if each.capacity_mid_connections is not None
    ]
    return drift(values, row.capacity_mid_connections, LEAST_EFFECT_RATIO)


def _capacity(row: HistoryRow, before: Sequence[HistoryRow]) -> list[Notice]:
    moved = capacity_drift(row, before)
    if moved is None or not (moved.has_fallen or moved.has_risen):
        return []
    if moved.is_weak and _overlaps(row, before):
        return []
    change = f"{moved.ratio - 1.0:+.1%}".replace("%", " %")
    weak = "; weak, as five runs would say more" if moved.is_weak else ""
    statement = (
        f"capacity {units.about(row.capacity_mid_connections or 0.0)} connections, median of"
        f" {units.counted(moved.runs, 'earlier run')} {units.about(moved.median)} ({change}{weak})"
    )
    lost = moved.has_fallen
    return [
        Notice(
            kind=NoticeKind.CAPACITY_LOST if lost else NoticeKind.CAPACITY_GAINED,
            statement=statement,
            is_regression=lost,
            is_weak=moved.is_weak,
        )
    ]


def _below_baseline(row: HistoryRow, baseline: HistoryRow | None) -> list[Notice]:
    if baseline is None or not comparable(row, [baseline]):
        return []
    capacity, was = row.capacity_mid_connections, baseline.capacity_mid_connections
    if capacity is None or not was or _overlaps(row, [baseline]):
        return []
    if 1.0 - capacity / was <= LEAST_EFFECT_RATIO:
        return []
    change = f"{capacity / was - 1.0:+.1%}".replace("%", " %")
    return [
        Notice(
            kind=NoticeKind.BELOW_BASELINE,
            statement=(
                f"capacity {units.about(capacity)} connections, baseline {baseline.run}"
                f" {units.about(was)} ({change})"
            ),
            is_regression=True,
        )
    ]


def _overlaps(row: HistoryRow, before: Sequence[HistoryRow]) -> bool:
    """Tell whether the interval of the capacity meets that of any run before."""
    low, high = row.capacity_low_connections, row.capacity_high_connections
    ends = [(each.capacity_low_connections, each.capacity_high_connections) for each in before]
    return any(
        low is None
        or high is None
        or old_low is None
        or old_high is None
        or (low <= old_high and old_low <= high)
        for old_low, old_high in ends
    )


def _bottleneck(
    row: HistoryRow, recent: Sequence[HistoryRow], *, is_regression: bool
) -> list[Notice]:
    if row.binding is None or any(row.binding == each.binding for each in recent):
        return []
    return [
        Notice(
            kind=NoticeKind.BOTTLENECK_CHANGED,
            statement=f"the bottleneck is {_name(row.binding)}, it was {_name(recent[-1].binding)}",
            is_regression=is_regression,
        )
    ]


def _limits(row: HistoryRow, last: HistoryRow) -> list[Notice]:
    old, new = _known_limits(last), _known_limits(row)
    found = []
    for resource in sorted(old.keys() & new.keys()):
        before, after = old[resource], new[resource]
        if abs(after - before) <= _SAME_RATIO * max(abs(before), abs(after)):
            continue
        is_lower = after < before
        shown = [units.amount(value, Resource(resource)) for value in (before, after)]
        found.append(
            Notice(
                kind=NoticeKind.LIMIT_LOWERED if is_lower else NoticeKind.LIMIT_RAISED,
                statement=f"the limit of {_name(resource)} went from {shown[0]} to {shown[1]}",
                is_regression=is_lower,
            )
        )
    return found


def _known_limits(row: HistoryRow) -> dict[str, float]:
    """Return resource -> limit; rows of earlier versions have none."""
    costs: Mapping[str, Any] = row.unit_costs or {}
    return {
        resource: float(entry["limit"])
        for resource, entry in costs.items()
        if isinstance(entry, Mapping) and entry.get("limit") is not None
    }


def _not_comparable(row: HistoryRow, earlier: Sequence[HistoryRow]) -> list[Notice]:
    planned = [
        each
        for each in earlier
        if each.job == row.job
        and each.outcome is Outcome.PLAN
        and each.started_at < row.started_at
        and each.run != row.run
    ]
    if not planned:
        return []
    last = max(planned, key=lambda each: each.started_at)
    return [
        Notice(
            kind=NoticeKind.NOT_COMPARABLE,
            statement=(
                "nothing to compare with: the target file, the profile, the host or a version"
                f" changed since {last.run}"
            ),
            is_regression=False,
        )
    ]


def _name(resource: str | None) -> str:
    return "not known" if resource is None else RESOURCES.get(Resource(resource), resource)
