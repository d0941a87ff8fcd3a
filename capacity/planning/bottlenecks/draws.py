"""
One resource's ceiling by replicate: its cost as other errors of the steps would have made it, met with
its limit, and moved by the error of the law's form.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from capacity.domain import units
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import NoCeiling, UnitCost
from capacity.domain.resource_facts import COUNTED
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.models.ceilings import connections_at_limit, whole_connections
from capacity.models.uncertainty.bootstrap import REPLICATES, interval_around
from capacity.models.uncertainty.intervals import (
    CONFIDENCE,
    Form,
    even_normals,
    form_of,
    form_sigma,
)
from capacity.models.wild_bootstrap import step_normals
from capacity.planning.bottlenecks.latency_objectives import (
    LatencyUse,
    latency_ceilings,
    latency_cost,
    why_no_latency,
)
from capacity.planning.costs.fitted_costs import ResourceFit, fitted_costs
from capacity.planning.costs.host_account import by_own_account, is_explained
from capacity.planning.costs.uneven_share import ceilings_by_chance, evenly_shared
from capacity.planning.costs.young_generation import may_come_once
from capacity.planning.evidence.effective_limits import known_value
from capacity.planning.evidence.load_components import Attribution
from capacity.planning.evidence.plausible import LARGEST
from capacity.planning.evidence.windows import Window, levels

READ_AT_ONLY = "usage read at only"
"""How the reason begins where a limit is known and too few levels show what is used of it."""
_FREE_SHARE = 0.01
"""A cost that vanishes in more than 1 % of the replicates is uncertain: it may be nothing."""
_LOWER_TAIL = (1.0 - CONFIDENCE) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCeiling:
    """What is known of a wall before it stands among the others."""

    limit: Limit
    cost: UnitCost
    ceilings: NDArray[np.float64]
    """By replicate; the last entry is the forecast itself."""
    used_at_baseline: float
    used_at_highest: float
    is_certain: bool
    """The cost is told from nothing; without that only the lower end of the wall is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Draws of everything that may have gone otherwise, the same for all resources."""

    steps: NDArray[np.float64]
    """(replicates, windows): factors for the errors of the steps."""
    forms: Mapping[Form, NDArray[np.float64]]
    """For every form, whatever limits there are: one more of them leaves the other intervals alone."""
    splits: NDArray[np.float64]
    """For the chance of a split of the connections."""

    @classmethod
    def drawn(cls, windows: Sequence[Window], generator: np.random.Generator) -> Self:
        return cls(
            steps=step_normals([window.step for window in windows], generator),
            forms={form: np.append(even_normals(REPLICATES, generator), 0.0) for form in Form},
            splits=np.append(even_normals(REPLICATES, generator), 0.0),
        )


def drawn_ceiling(
    resource: Resource,
    windows: Sequence[Window],
    attributed: Attribution,
    mix: LoadVector,
    *,
    limit: Limit | None,
    missing: Mapping[str, str],
    noise: Noise,
    garbage: float = 0.0,
) -> DrawnCeiling | NoCeiling:
    """Return the ceiling of a resource that the agent reads, along *mix*; or why it has none.

    *missing* holds reasons for resources without readings; bytes of *garbage* may have come together.
    """
    reason = _why_unfitted(resource, windows, limit, missing)
    value = known_value(limit)
    if reason is not None or limit is None or value is None:
        return NoCeiling(resource=resource, reason=reason or "", limit=limit)
    highest = max(window.load.connections for window in windows)
    fit = _fit(resource, windows, attributed, mix, noise.steps)
    fit = may_come_once(resource, fit, garbage, highest)
    ceilings = connections_at_limit(value, fit.baseline, fit.marginal)
    ceilings[ceilings > LARGEST] = math.inf
    is_certain = np.mean(fit.marginal <= 0.0) <= _FREE_SHARE and ceilings[-1] < math.inf
    reached = float(ceilings[-1]) if is_certain else low_end(ceilings)
    if reached == math.inf:
        return unmeasured(resource, limit, highest, reached)
    form = form_of(resource)
    ceilings = ceilings * np.exp(form_sigma(form, reached / highest) * noise.forms[form])
    if resource is Resource.DESCRIPTORS and (even := evenly_shared(windows)) is not None:
        shared = fitted_costs(resource, even, attributed, mix, noise.steps)
        by_chance = ceilings_by_chance(shared, windows, value, noise.splits)
        fit, ceilings = (fit, ceilings) if by_chance is None else (shared, by_chance)
    if resource in COUNTED:
        ceilings = whole_connections(ceilings)
    return DrawnCeiling(
        limit=limit,
        cost=fit.cost,
        ceilings=ceilings,
        used_at_baseline=_used_at_baseline(windows, resource, fit),
        used_at_highest=_used_at_highest(windows, resource),
        is_certain=bool(is_certain),
    )


def drawn_objective(use: LatencyUse, noise: Noise) -> DrawnCeiling | NoCeiling:
    """Return the ceiling of an objective, or why it has none."""
    reason = why_no_latency(use)
    if reason is not None:
        return NoCeiling(resource=use.limit.resource, reason=reason, limit=use.limit)
    ceilings = latency_ceilings(use, noise.forms[form_of(use.limit.resource)])
    cost = latency_cost(use, interval_of(ceilings))
    return DrawnCeiling(
        limit=use.limit,
        cost=cost,
        ceilings=ceilings,
        used_at_baseline=cost.baseline.mid,
        used_at_highest=use.tails_s[use.connections.index(max(use.connections))],
        is_certain=True,
    )


def unmeasured(resource: Resource, limit: Limit, highest: float, least: float) -> NoCeiling:
    """Return that nothing shows up to *highest* connections what one takes; *least* fit surely."""
    known = f"; capacity at least {units.about(least)}" if least < math.inf else ""
    return NoCeiling(
        resource=resource,
        reason=(
            "no measurable cost per connection up to"
            f" {units.counted(round(highest), 'connection')}{known}"
        ),
        limit=limit,
    )


def _why_unfitted(
    resource: Resource,
    windows: Sequence[Window],
    limit: Limit | None,
    missing: Mapping[str, str],
) -> str | None:
    """Return why nothing can be fitted against a limit, None if something can."""
    if limit is not None and limit.state is LimitState.UNLIMITED:
        return f"unlimited ({limit.source})"
    read = [window for window in windows if resource in window.mean]
    if not read:
        return f"usage not read: {missing.get(resource, 'the agent does not report it')}"
    if limit is None:
        return "no limit read or declared"
    if known_value(limit) is None:
        return f"limit unknown: {limit.reason or f'{limit.source} holds no number'}"
    if levels(read) < 2:
        return f"{READ_AT_ONLY} {units.counted(levels(read), 'connection level')}; a cost needs 2"
    return None


def low_end(ceilings: NDArray[np.float64]) -> float:
    """Return the lower end of the replicates: the one-sided 95 % bound."""
    return float(np.quantile(ceilings[:-1], _LOWER_TAIL, method="lower"))


def interval_of(values: NDArray[np.float64], confidence: float = CONFIDENCE) -> Estimate:
    """Return the interval over the replicates around the last entry, the forecast itself."""
    return interval_around(float(values[-1]), values[:-1], confidence)


def _fit(
    resource: Resource,
    windows: Sequence[Window],
    attributed: Attribution,
    mix: LoadVector,
    disturbed: NDArray[np.float64],
) -> ResourceFit:
    """Return the fit of a resource: of the host's memory by the target's own, where that explains it."""
    whole = fitted_costs(resource, windows, attributed, mix, disturbed)
    own_windows = by_own_account(windows) if resource is Resource.HOST_MEMORY else None
    if own_windows is None:
        return whole
    own = fitted_costs(resource, own_windows, attributed, mix, disturbed)
    return own if is_explained(whole, own) else whole


def _used_at_baseline(windows: Sequence[Window], resource: Resource, fit: ResourceFit) -> float:
    idle = [w.mean[resource] for w in windows if w.asked_connections == 0 and resource in w.mean]
    return sum(idle) / len(idle) if idle else fit.cost.baseline.mid


def _used_at_highest(windows: Sequence[Window], resource: Resource) -> float:
    read = [window for window in windows if resource in window.mean]
    # Of several such plateaus the one that lasted, or that carried most beside the connections.
    step = max(
        read, key=lambda w: (w.load.connections, w.is_held_longer, w.load.deliveries_per_s)
    ).step
    uses = [window.mean[resource] for window in read if window.step == step]
    return sum(uses) / len(uses)
