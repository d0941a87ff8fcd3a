"""A figure of the history over time: its values, where it stands, and where it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capacity.domain.errors import ConfigError
from capacity.domain.estimates import Estimate
from capacity.domain.resource_facts import UNITS
from capacity.domain.resources import Resource
from capacity.domain.units import MONTH_S
from capacity.domain.words import printable
from capacity.models.drift import CONFIDENCE, Drift, drift, slope
from capacity.recording.history_row import HistoryRow, Outcome
from capacity.recording.notices import LEAST_EFFECT_RATIO, WINDOW

CAPACITY, SAFE = "capacity.mid", "capacity.safe"
_COST, _PER = "cost.", "_per_connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run's value of the figure."""

    run: str
    at: float
    value: float
    drift: Drift | None
    """Beside up to WINDOW comparable runs before it; None for the first of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A figure over the runs that may be compared with the latest, the oldest first."""

    figure: str
    unit: str
    points: tuple[Point, ...]
    per_month_ratio: Estimate | None
    """Slope over the median, a month; None for fewer than five runs."""
    left_out: int
    """Runs with a plan that may not be compared with the latest."""


def trend(rows: Sequence[HistoryRow], figure: str) -> Trend:
    """Return the trend of *figure*; *rows* are of one job. Raises ConfigError without a value."""
    planned = sorted(
        (row for row in rows if row.outcome is Outcome.PLAN), key=lambda row: row.started_at
    )
    if not planned:
        raise ConfigError("the history has no run with a plan here; name another job or target")
    like = [row for row in planned if row.fingerprint == planned[-1].fingerprint]
    values = [(row, value) for row in like if (value := value_of(row, figure)) is not None]
    if not values:
        raise ConfigError(
            f"no run has {printable(figure)}; give {CAPACITY}, {SAFE} or"
            f" {', '.join(_cost_figures(planned[-1])) or 'cost.<resource>_per_connection'}"
        )
    points = []
    for index, (row, value) in enumerate(values):
        before = [each for _, each in values[max(0, index - WINDOW) : index]]
        moved = drift(before, value, LEAST_EFFECT_RATIO)
        points.append(Point(run=row.run, at=row.started_at, value=value, drift=moved))
    return Trend(
        figure=figure,
        unit=_unit(figure),
        points=tuple(points),
        per_month_ratio=_per_month(points),
        left_out=len(planned) - len(like),
    )


def value_of(row: HistoryRow, figure: str) -> float | None:
    """Return the figure of the row: capacity.mid, capacity.safe, cost.<resource>_per_connection."""
    if figure == CAPACITY:
        return row.capacity_mid_connections
    if figure == SAFE:
        safe = row.safe_capacity_connections
        return None if safe is None else float(safe)
    if not figure.startswith(_COST):
        return None
    costs: Mapping[str, Any] = row.unit_costs or {}
    entry = costs.get(figure.removeprefix(_COST).removesuffix(_PER), {})
    along = entry.get("per_connection_along_mix")
    return None if along is None else float(along)


def _cost_figures(row: HistoryRow) -> list[str]:
    return [f"{_COST}{resource}{_PER}" for resource in row.unit_costs or {}]


def _unit(figure: str) -> str:
    if not figure.startswith(_COST):
        return "connections"
    return UNITS[Resource(figure.removeprefix(_COST).removesuffix(_PER))]


def _per_month(points: Sequence[Point]) -> Estimate | None:
    values = [point.value for point in points]
    found = slope([point.at / MONTH_S for point in points], values)
    middle = sorted(values)[len(values) // 2]
    if found is None or middle <= 0.0:
        return None
    return Estimate(
        low=found.low / middle,
        mid=found.mid / middle,
        high=found.high / middle,
        confidence=CONFIDENCE,
    )
