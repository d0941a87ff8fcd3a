"""
From windows and limits to walls: the ceiling of every resource, and why some have none.

The errors of the steps are drawn for all resources at once, and each replicate is moved by a draw of
the model-form error, one for all resources that err alike: processor and event loop of one process
bend together, and so do the memory of the target and the host's. Two readings of one thing then are
one wall seen twice, and not two chances of an early end. The minimum over the resources is taken
within a replicate, so that the interval of the capacity is that of the minimum, and the share in
which a wall came first its probability. A cost that scatter may have made of nothing leaves a wall
with a lower end only, which takes part as far as it reaches down. Where several walls may come first, their minimum is lower
than each of them mostly is, and so is the middle of the capacity.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from capacity.domain import units
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import CONTAINED, MetLimit, NoCeiling, UnitCost, Wall
from capacity.domain.resource_facts import COUNTED, LATENCIES, TIE_ORDER
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.models.bootstrap import REPLICATES, SEED, interval_around
from capacity.models.ceilings import connections_at_limit, whole_connections
from capacity.models.intervals import CONFIDENCE, Form, even_normals, form_of, form_sigma
from capacity.models.wild_bootstrap import step_normals
from capacity.planning.bottlenecks.ladder import ladder
from capacity.planning.bottlenecks.latency_objectives import (
    LatencyUse,
    latency_ceilings,
    latency_cost,
    why_no_latency,
)
from capacity.planning.bottlenecks.remedies import remedy
from capacity.planning.costs.fitted_costs import ResourceFit, fitted_costs
from capacity.planning.costs.host_account import by_own_account, is_explained
from capacity.planning.costs.uneven_share import ceilings_by_chance, evenly_shared
from capacity.planning.evidence.effective_limits import known_value
from capacity.planning.evidence.load_components import Attribution
from capacity.planning.evidence.met_limits import bounded_draws
from capacity.planning.evidence.plausible import LARGEST
from capacity.planning.evidence.windows import Window, levels

_MEASURED = tuple(resource for resource in TIE_ORDER if resource is not Resource.UNIDENTIFIED)

_FREE_SHARE = 0.01
"""A cost that vanishes in more than 1 % of the replicates is uncertain: it may be nothing."""
FAR_RATIO = 10.0
"""An uncertain cost whose wall stands at least this many times beyond the first one is not worth a
place among the walls."""
_LOWER_TAIL = (1.0 - CONFIDENCE) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """The ladder with the capacity it allows; the capacity is None without any wall."""

    ladder: tuple[Wall, ...]
    no_ceiling: tuple[NoCeiling, ...]
    capacity: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Met:
    """What is known of a wall before it stands among the others."""

    limit: Limit
    cost: UnitCost
    ceilings: NDArray[np.float64]
    """By replicate; the last entry is the forecast itself."""
    used_at_baseline: float
    used_at_highest: float
    is_certain: bool
    """The cost is told from nothing; without that only the lower end of the wall is known."""


def walls(
    windows: Sequence[Window],
    attributed: Attribution,
    mix: LoadVector,
    limits: Mapping[Resource, Limit],
    missing: Mapping[str, str],
    *,
    latencies: Sequence[LatencyUse] = (),
    ran_into: Sequence[MetLimit] = (),
) -> Walls:
    """Return the walls along *mix*; *missing* holds reasons for resources without readings.

    The limits that the run itself *ran into*, lowest first, bound them.
    """
    generator = np.random.default_rng(SEED)
    disturbed = step_normals([window.step for window in windows], generator)
    highest = max(window.load.connections for window in windows)
    # For every form and once more for the chance of a split, whatever limits there are: one more of
    # them leaves the other intervals alone.
    form_normals = {form: np.append(even_normals(REPLICATES, generator), 0.0) for form in Form}
    split_normals = np.append(even_normals(REPLICATES, generator), 0.0)
    slow = {latency.limit.resource: latency for latency in latencies}
    drawn: dict[Resource, _Met] = {}
    without: list[NoCeiling] = []
    for resource in _MEASURED:
        form = form_of(resource)
        if resource in LATENCIES:
            if resource in slow:
                met = _latency_met(slow[resource], form_normals[form])
                if isinstance(met, NoCeiling):
                    without.append(met)
                else:
                    drawn[resource] = met
            continue
        limit = limits.get(resource)
        reason = _why_unfitted(resource, windows, limit, missing)
        value = known_value(limit)
        if reason is not None or limit is None or value is None:
            without.append(NoCeiling(resource=resource, reason=reason or "", limit=limit))
            continue
        fit = _fit(resource, windows, attributed, mix, disturbed)
        ceilings = connections_at_limit(value, fit.baseline, fit.marginal)
        ceilings[ceilings > LARGEST] = math.inf
        is_certain = np.mean(fit.marginal <= 0.0) <= _FREE_SHARE and ceilings[-1] < math.inf
        reached = float(ceilings[-1]) if is_certain else _low(ceilings)
        if reached == math.inf:
            without.append(_unmeasured(resource, limit, highest, reached))
            continue
        sigma = form_sigma(form, reached / highest)
        ceilings = ceilings * np.exp(sigma * form_normals[form])
        if resource is Resource.DESCRIPTORS and (even := evenly_shared(windows)) is not None:
            shared = fitted_costs(resource, even, attributed, mix, disturbed)
            by_chance = ceilings_by_chance(shared, windows, value, split_normals)
            fit, ceilings = (fit, ceilings) if by_chance is None else (shared, by_chance)
        if resource in COUNTED:
            ceilings = whole_connections(ceilings)
        drawn[resource] = _Met(
            limit=limit,
            cost=fit.cost,
            ceilings=ceilings,
            used_at_baseline=_used_at_baseline(windows, resource, fit),
            used_at_highest=_used_at_highest(windows, resource),
            is_certain=bool(is_certain),
        )
    drawn = _with_met(drawn, ran_into, highest, generator)
    drawn, far = _near(drawn)
    without = [entry for entry in without if entry.resource not in drawn] + [
        _unmeasured(resource, met.limit, highest, _low(met.ceilings))
        for resource, met in far.items()
    ]
    if not drawn:
        return Walls(ladder=(), no_ceiling=tuple(without), capacity=None)
    table = np.stack([met.ceilings for met in drawn.values()])
    # TIE_ORDER is the order of the rows, and argmin takes the first of equals.
    first = np.argmin(table[:, :-1], axis=0)
    found = [
        Wall(
            resource=resource,
            limit=met.limit,
            cost=met.cost,
            ceiling=_ceiling(met),
            used_at_baseline=met.used_at_baseline,
            used_at_highest=met.used_at_highest,
            binding_probability=float(np.mean(first == row)),
            gain=None,
            remedy=remedy(met.limit),
        )
        for row, (resource, met) in enumerate(drawn.items())
    ]
    return Walls(ladder=ladder(found), no_ceiling=tuple(without), capacity=_capacity(table))


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


def _capacity(table: NDArray[np.float64]) -> Estimate:
    """Return the interval of the minimum over the rows of *table*, the forecasts last in each.

    Its middle is the lowest forecast, less what the median of the minimum lies below the median of
    that wall alone: nothing where no other wall comes near.
    """
    lowest = table.min(axis=0)
    alone = float(np.median(table[int(np.argmin(table[:, -1])), :-1]))
    if 0.0 < alone < math.inf:
        lowest[-1] *= float(np.median(lowest[:-1])) / alone
    return _interval(lowest)


def _with_met(
    drawn: Mapping[Resource, _Met],
    ran_into: Sequence[MetLimit],
    highest: float,
    generator: np.random.Generator,
) -> dict[Resource, _Met]:
    """Return *drawn* within what the run ran into, in the order of ties."""
    bounded = dict(drawn)
    for limit in reversed(ran_into):
        bounded[limit.resource] = _bounded(bounded.get(limit.resource), limit, highest, generator)
    return {resource: bounded[resource] for resource in TIE_ORDER if resource in bounded}


def _bounded(
    fitted: _Met | None, met: MetLimit, highest: float, generator: np.random.Generator
) -> _Met:
    """Return the wall that the run met: the fitted one within its bounds, or one of its own."""
    shares = NormalDist().cdf
    normals = even_normals(REPLICATES, generator)
    uniform = np.array([shares(value) for value in normals])
    ceilings = bounded_draws(None if fitted is None else fitted.ceilings, met, uniform)
    if met.resource in COUNTED:
        ceilings = whole_connections(ceilings)
    if fitted is not None:
        return replace(fitted, ceilings=ceilings, is_certain=True)
    value = float(ceilings[-1])
    one = Estimate(low=1.0, mid=1.0, high=1.0, confidence=CONFIDENCE)
    none = Estimate(low=0.0, mid=0.0, high=0.0, confidence=CONFIDENCE)
    return _Met(
        limit=Limit(
            resource=met.resource,
            state=LimitState.KNOWN,
            value=value,
            scope="met",
            source=f"this run: {met.statement}",
        ),
        cost=UnitCost(
            resource=met.resource,
            baseline=none,
            per_connection=one,
            per_delivery_per_s=CONTAINED,
            per_request_per_s=CONTAINED,
            separated=("connections",),
            snapped=False,
            residual_ratio=0.0,
            windows=0,
        ),
        ceilings=ceilings,
        used_at_baseline=0.0,
        used_at_highest=highest,
        is_certain=True,
    )


def _latency_met(use: LatencyUse, normals: NDArray[np.float64]) -> _Met | NoCeiling:
    reason = why_no_latency(use)
    if reason is not None:
        return NoCeiling(resource=use.limit.resource, reason=reason, limit=use.limit)
    ceilings = latency_ceilings(use, normals)
    cost = latency_cost(use, _interval(ceilings))
    return _Met(
        limit=use.limit,
        cost=cost,
        ceilings=ceilings,
        used_at_baseline=cost.baseline.mid,
        used_at_highest=use.tails_s[use.connections.index(max(use.connections))],
        is_certain=True,
    )


def _near(
    drawn: Mapping[Resource, _Met],
) -> tuple[dict[Resource, _Met], dict[Resource, _Met]]:
    """Return the walls that count, and the uncertain ones that are far beyond the first.

    Where no cost is certain none counts: noise alone is no plan.
    """
    first = min((float(met.ceilings[-1]) for met in drawn.values() if met.is_certain), default=None)
    near = {
        resource: met
        for resource, met in drawn.items()
        if met.is_certain or (first is not None and _low(met.ceilings) < FAR_RATIO * first)
    }
    return near, {resource: met for resource, met in drawn.items() if resource not in near}


def _unmeasured(resource: Resource, limit: Limit, highest: float, least: float) -> NoCeiling:
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
        return (
            f"usage read at only {units.counted(levels(read), 'connection level')}; a cost needs 2"
        )
    return None


def _low(ceilings: NDArray[np.float64]) -> float:
    """Return the lower end of the replicates: the one-sided 95 % bound."""
    return float(np.quantile(ceilings[:-1], _LOWER_TAIL, method="lower"))


def _ceiling(met: _Met) -> Estimate:
    found = _interval(met.ceilings)
    return found if met.is_certain else replace(found, high=math.inf)


def _interval(values: NDArray[np.float64]) -> Estimate:
    """Return the interval over the replicates around the last entry, the forecast itself."""
    return interval_around(float(values[-1]), values[:-1], CONFIDENCE)


def _used_at_baseline(windows: Sequence[Window], resource: Resource, fit: ResourceFit) -> float:
    idle = [w.mean[resource] for w in windows if w.asked_connections == 0 and resource in w.mean]
    return sum(idle) / len(idle) if idle else fit.cost.baseline.mid


def _used_at_highest(windows: Sequence[Window], resource: Resource) -> float:
    read = [window for window in windows if resource in window.mean]
    # Of several such plateaus the one that carried most beside the connections.
    step = max(read, key=lambda w: (w.load.connections, w.load.deliveries_per_s)).step
    uses = [window.mean[resource] for window in read if window.step == step]
    return sum(uses) / len(uses)
