"""
Costs and ceilings while the run goes on: the best guess from the plateaus so far, without
intervals, for a page that asks every few seconds. What is not known yet says why.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capacity.domain.load import LoadVector
from capacity.domain.observation import StepObservation
from capacity.domain.resource_facts import COUNTED
from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import Sample
from capacity.models.ceilings import connections_at_limit, whole_connections
from capacity.planning.costs.fitted_costs import fitted_costs
from capacity.planning.evidence.effective_limits import (
    effective_limits,
    known_value,
    limits_under_load,
)
from capacity.planning.evidence.load_components import Attribution, attribution
from capacity.planning.evidence.mix import measured_mix
from capacity.planning.evidence.plausible import LARGEST, is_plausible
from capacity.planning.evidence.windows import Window, levels, plateau_windows, windows_of_one_life
from capacity.planning.plan import count_connections_here

RECENT_SAMPLES = 10
"""A reading older than this is not "now"; some readings come only every few samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRow:
    """One resource at this moment; None is "not known yet", and `reason` says why."""

    resource: Resource
    used: float | None
    """Now."""
    limit: float | None
    cost_per_connection: float | None
    """Along the mix measured so far, in the resource's unit."""
    ceiling: float | None
    reason: str | None


def live_rows(
    steps: Sequence[StepObservation],
    samples: Sequence[Sample],
    limits: Sequence[Limit],
    *,
    clock_offset_s: float = 0.0,
) -> list[LiveRow]:
    """Return a row for every resource that has a limit or a reading, lowest ceiling first."""
    now = latest_use(samples)
    windows = windows_of_one_life(plateau_windows(steps, samples, clock_offset_s))
    effective = effective_limits(limits_under_load(limits, windows))
    windows, effective = count_connections_here(windows, effective)
    mix = measured_mix(steps)
    attributed = attribution(windows) if windows else None
    rows = [
        _row(
            resource,
            used=now.get(resource),
            limit=effective.get(resource),
            windows=windows,
            attributed=attributed,
            mix=mix,
        )
        for resource in Resource
        if resource in effective or resource in now
    ]
    return sorted(rows, key=lambda row: math.inf if row.ceiling is None else row.ceiling)


def _row(
    resource: Resource,
    *,
    used: float | None,
    limit: Limit | None,
    windows: Sequence[Window],
    attributed: Attribution | None,
    mix: LoadVector | None,
) -> LiveRow:
    value = known_value(limit)
    cost: float | None = None
    ceiling: float | None = None
    reason: str | None = None
    read = [window for window in windows if resource in window.mean]
    if attributed is None or mix is None or levels(read) < 2:
        reason = f"needs plateaus at 2 connection levels, {levels(read)} so far"
    else:
        fit = fitted_costs(resource, windows, attributed, mix, np.empty((0, len(windows))))
        cost = float(fit.marginal[-1])
        found = connections_at_limit(value or 0.0, fit.baseline, fit.marginal)
        if found[-1] > LARGEST:
            cost, reason = None, "no measurable cost per connection so far"
        elif value is not None:
            ceiling = float((whole_connections(found) if resource in COUNTED else found)[-1])
    if value is None:
        reason = _why_no_limit(limit)
    return LiveRow(
        resource=resource,
        used=used,
        limit=value,
        cost_per_connection=cost,
        ceiling=ceiling,
        reason=reason,
    )


def _why_no_limit(limit: Limit | None) -> str:
    if limit is None:
        return "no limit read or declared"
    return f"limit {limit.state}" + (f": {limit.reason}" if limit.reason else "")


def latest_use(samples: Sequence[Sample]) -> dict[Resource, float]:
    """Return the newest reading of each resource."""
    latest: dict[Resource, float] = {}
    for sample in samples[-RECENT_SAMPLES:]:
        latest |= {name: used for name, used in sample.used.items() if is_plausible(used)}
    return latest
