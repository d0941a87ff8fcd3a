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

from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import CONTAINED, MetLimit, NoCeiling, UnitCost, Wall
from capacity.domain.resource_facts import COUNTED, LATENCIES, TIE_ORDER
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.models.ceilings import whole_connections
from capacity.models.uncertainty.bootstrap import REPLICATES, SEED
from capacity.models.uncertainty.intervals import CONFIDENCE, even_normals
from capacity.planning.bottlenecks.draws import (
    DrawnCeiling,
    Noise,
    drawn_ceiling,
    drawn_objective,
    interval_of,
    low_end,
    unmeasured,
)
from capacity.planning.bottlenecks.ladder import ladder
from capacity.planning.bottlenecks.latency_objectives import LatencyUse
from capacity.planning.bottlenecks.remedies import remedy
from capacity.planning.evidence.load_components import Attribution
from capacity.planning.evidence.met_limits import bounded_draws
from capacity.planning.evidence.windows import Window

_MEASURED = tuple(
    resource
    for resource in TIE_ORDER
    if resource is not Resource.UNIDENTIFIED and resource not in LATENCIES
)

FAN = (0.5, 0.8, CONFIDENCE)
"""Confidences of the intervals that a plan shows of its capacity."""
FAR_RATIO = 10.0
"""An uncertain cost whose wall stands at least this many times beyond the first one is not worth a
place among the walls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """The ladder with the capacity it allows; the capacity is None without any wall."""

    ladder: tuple[Wall, ...]
    no_ceiling: tuple[NoCeiling, ...]
    capacity: Estimate | None
    fan: tuple[Estimate, ...] = ()
    """The capacity's intervals by `FAN`, narrowest first."""


def walls(
    windows: Sequence[Window],
    attributed: Attribution,
    mix: LoadVector,
    limits: Mapping[Resource, Limit],
    missing: Mapping[str, str],
    *,
    latencies: Sequence[LatencyUse] = (),
    ran_into: Sequence[MetLimit] = (),
    held: int = 0,
    garbage: float = 0.0,
) -> Walls:
    """Return the walls along *mix*; *missing* holds reasons for resources without readings.

    The limits that the run itself *ran into*, lowest first, bound them, and so do the connections that
    it *held*. Bytes of *garbage* are what the target's runtime lets come together.
    """
    generator = np.random.default_rng(SEED)
    noise = Noise.drawn(windows, generator)
    highest = max(window.load.connections for window in windows)
    found = {latency.limit.resource: drawn_objective(latency, noise) for latency in latencies} | {
        resource: drawn_ceiling(
            *(resource, windows, attributed, mix),
            limit=limits.get(resource),
            missing=missing,
            noise=noise,
            garbage=garbage,
        )
        for resource in _MEASURED
    }
    in_order = [found[resource] for resource in TIE_ORDER if resource in found]
    without = [each for each in in_order if isinstance(each, NoCeiling)]
    drawn = {each.cost.resource: each for each in in_order if isinstance(each, DrawnCeiling)}
    drawn = _with_met(drawn, ran_into, highest, generator)
    drawn = {resource: _not_below(held, each) for resource, each in drawn.items()}
    drawn, far = _near(drawn)
    without = [entry for entry in without if entry.resource not in drawn] + [
        unmeasured(resource, met.limit, highest, low_end(met.ceilings))
        for resource, met in far.items()
    ]
    if not drawn:
        return Walls(ladder=(), no_ceiling=tuple(without), capacity=None)
    table = np.stack([met.ceilings for met in drawn.values()])
    # TIE_ORDER is the order of the rows, and argmin takes the first of equals.
    first = np.argmin(table[:, :-1], axis=0)
    ordered = [
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
    lowest = _lowest(table)
    return Walls(
        ladder=ladder(ordered),
        no_ceiling=tuple(without),
        capacity=interval_of(lowest),
        fan=tuple(interval_of(lowest, confidence) for confidence in FAN),
    )


def _lowest(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the capacity by replicate, the minimum over the rows of *table*, the forecast last.

    The forecast is the lowest one, less what the median of the minimum lies below the median of
    that wall alone: nothing where no other wall comes near.
    """
    lowest = table.min(axis=0)
    alone = float(np.median(table[int(np.argmin(table[:, -1])), :-1]))
    if 0.0 < alone < math.inf:
        lowest[-1] *= float(np.median(lowest[:-1])) / alone
    return np.asarray(lowest)


def _with_met(
    drawn: Mapping[Resource, DrawnCeiling],
    ran_into: Sequence[MetLimit],
    highest: float,
    generator: np.random.Generator,
) -> dict[Resource, DrawnCeiling]:
    """Return *drawn* within what the run ran into, in the order of ties."""
    bounded = dict(drawn)
    for limit in reversed(ran_into):
        before = bounded.get(limit.resource)
        # What was drawn between other bounds is no fit: of two that were met the lower one counts.
        fitted = before if limit.resource in drawn else None
        bounded[limit.resource] = _bounded(fitted, limit, highest, generator)
    return {resource: bounded[resource] for resource in TIE_ORDER if resource in bounded}


def _not_below(held: int, ceiling: DrawnCeiling) -> DrawnCeiling:
    """Return a ceiling of which no replicate is below what the target *held*.

    One whose forecast itself is below that stays: its limit is not the target's, and is doubted so.
    """
    if ceiling.ceilings[-1] < held:
        return ceiling
    return replace(ceiling, ceilings=np.maximum(ceiling.ceilings, float(held)))


def _bounded(
    fitted: DrawnCeiling | None, met: MetLimit, highest: float, generator: np.random.Generator
) -> DrawnCeiling:
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
    return DrawnCeiling(
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


def _near(
    drawn: Mapping[Resource, DrawnCeiling],
) -> tuple[dict[Resource, DrawnCeiling], dict[Resource, DrawnCeiling]]:
    """Return the walls that count, and the uncertain ones that are far beyond the first.

    Where no cost is certain none counts: noise alone is no plan.
    """
    first = min((float(met.ceilings[-1]) for met in drawn.values() if met.is_certain), default=None)
    near = {
        resource: met
        for resource, met in drawn.items()
        if met.is_certain or (first is not None and low_end(met.ceilings) < FAR_RATIO * first)
    }
    return near, {resource: met for resource, met in drawn.items() if resource not in near}


def _ceiling(met: DrawnCeiling) -> Estimate:
    found = interval_of(met.ceilings)
    return found if met.is_certain else replace(found, high=math.inf)
