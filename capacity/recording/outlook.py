"""
When what is measured no longer suffices: growth of the demand and the trend of the capacity together.

A capacity that falls by r a month meets a demand that grows by g as one that stays meets a demand that
grows by (1 + g)/(1 + r) − 1. A trend counts where its interval leaves out nothing at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from capacity.domain.answers.sizing import Demand
from capacity.domain.errors import ConfigError
from capacity.domain.estimates import Estimate
from capacity.domain.units import MONTH_S
from capacity.models.drift import CONFIDENCE
from capacity.models.operations.growth import demand_after, months_until_exhausted
from capacity.recording.history_row import HistoryRow, Outcome
from capacity.recording.trends import CAPACITY, trend

HORIZON_MONTHS = 600.0
PROBABILITIES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """When the demand meets what the instances carry."""

    run: str
    """The latest run with a plan."""
    now_at: float
    demand: str
    instances: int
    demand_now: Estimate
    """Connections."""
    usable: Estimate
    """Connections that the instances carry with the demand's headroom."""
    growth_per_month: Estimate
    capacity_per_month: Estimate | None
    """Trend of the capacity as a ratio; None where it is not told from nothing."""
    early_at: float | None
    """With 10 % probability before; None: not within the horizon."""
    middle_at: float | None
    late_at: float | None


def outlook(
    rows: Sequence[HistoryRow], demand: Demand, instances: int | None, now_at: float
) -> Outlook:
    """Return the outlook; *rows* are of one job. Raises ConfigError where something is not known."""
    count = instances or demand.instances
    if count is None:
        raise ConfigError(
            f"demand {demand.name} does not say how many instances there are; give --instances"
        )
    moved = trend(rows, CAPACITY)
    latest = max(
        (row for row in rows if row.outcome is Outcome.PLAN), key=lambda row: row.started_at
    )
    slope = moved.per_month_ratio
    is_told = slope is not None and (slope.low > 0.0 or slope.high < 0.0)
    growth = demand.growth_per_month or Estimate.exactly(0.0)
    now = demand_after(demand.connections, growth, (now_at - demand.as_of_at) / MONTH_S)
    factor = count * (1.0 - demand.headroom_ratio)
    usable = _scaled(latest, factor)
    together = _together(growth, slope) if is_told and slope is not None else growth
    early, middle, late = (
        now_at + months * MONTH_S if months <= HORIZON_MONTHS else None
        for months in months_until_exhausted(now.mid, usable, together, PROBABILITIES)
    )
    return Outlook(
        run=latest.run,
        now_at=now_at,
        demand=demand.name,
        instances=count,
        demand_now=now,
        usable=usable,
        growth_per_month=growth,
        capacity_per_month=slope if is_told else None,
        early_at=early,
        middle_at=middle,
        late_at=late,
    )


def _scaled(row: HistoryRow, factor: float) -> Estimate:
    mid = row.capacity_mid_connections or 0.0
    low, high = row.capacity_low_connections, row.capacity_high_connections
    return Estimate(
        low=factor * (mid if low is None else low),
        mid=factor * mid,
        high=factor * (mid if high is None else high),
        confidence=CONFIDENCE,
    )


def _together(growth: Estimate, slope: Estimate) -> Estimate:
    ends = [
        (1.0 + up) / max(1.0 + down, 1e-6) - 1.0
        for up, down in (
            (growth.low, slope.high),
            (growth.mid, slope.mid),
            (growth.high, slope.low),
        )
    ]
    return Estimate(low=ends[0], mid=ends[1], high=ends[2], confidence=CONFIDENCE)
