"""
Service level objectives as walls: a latency percentile is one more thing that connections use up.

The generator measured it, so it needs no agent, but the same care: steps that are void (generator
saturated) are out, and so are those without the full mix, as a delay without deliveries says
nothing about one with them. Percentiles are of all values of a step together, never means of
percentiles.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capacity.domain import units
from capacity.domain.estimates import Estimate
from capacity.domain.histogram import Histogram
from capacity.domain.plan import CONTAINED, UnitCost
from capacity.domain.resources import Limit, LimitState
from capacity.domain.run import RunRecord
from capacity.models.latency.ceiling import (
    FEWEST_LEVELS,
    connections_at_latency,
    corrected,
    scatter_around_line,
    within_what_was_seen,
)
from capacity.models.latency.misses import Miss, miss_at, misses_of
from capacity.models.lines import relative_line
from capacity.models.uncertainty.intervals import CONFIDENCE
from capacity.planning.evidence.plausible import LARGEST
from capacity.planning.evidence.windows import is_usable


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyUse:
    """A percentile on each step that can be used, next to its median and to what it may be."""

    limit: Limit
    steps: tuple[int, ...]
    """Their indices, by connections."""
    connections: tuple[float, ...]
    medians_s: tuple[float, ...]
    tails_s: tuple[float, ...]


def objectives(record: RunRecord) -> list[tuple[Limit, float]]:
    """Return the limit and the quantile of each objective of the run."""
    return [
        (
            Limit(
                resource=stated.resource,
                state=LimitState.KNOWN,
                value=stated.limit_s,
                scope="declared",
                source=f"slo.{stated.resource} of the target file, quantile {stated.quantile:g}",
            ),
            stated.quantile,
        )
        for stated in record.manifest.target.objectives
    ]


def latency_uses(record: RunRecord, steps: Collection[int]) -> list[LatencyUse]:
    """Return what each objective is held against on those of *steps* that offer the full mix."""
    return [_use(record, steps, limit, quantile) for limit, quantile in objectives(record)]


def why_no_latency(use: LatencyUse) -> str | None:
    """Return why no ceiling can be had of *use*, None if one can."""
    found = len(set(use.connections))
    if found < FEWEST_LEVELS:
        return (
            f"its percentile is known at {units.counted(found, 'level')} with the full workload; a"
            f" forecast needs {FEWEST_LEVELS}"
        )
    if _forecast(use) > LARGEST:
        highest = units.counted(round(max(use.connections)), "connection")
        return f"no measurable growth per connection up to {highest}"
    return None


def latency_ceilings(use: LatencyUse, normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the connections that the objective allows, by replicate of the model-form error."""
    forecast = _forecast(use)
    sigma = miss_at(forecast / max(use.connections), _misses(use)).sigma
    spread = forecast * np.exp(sigma * normals)
    return within_what_was_seen(spread, use.connections, use.tails_s, _limit_s(use))


def latency_cost(use: LatencyUse, ceiling: Estimate) -> UnitCost:
    """Return the line from the tail without load to the objective at its *ceiling*."""
    loads, tails = np.array(use.connections), np.array(use.tails_s)
    baseline = min(relative_line(loads, tails)[0], _limit_s(use))
    room_s = _limit_s(use) - baseline

    def slope(connections: float) -> float:
        return room_s / max(connections, 1.0)

    line = baseline + slope(ceiling.mid) * loads
    rms = float(np.sqrt(np.mean((tails - line) ** 2)))
    return UnitCost(
        resource=use.limit.resource,
        baseline=Estimate(low=baseline, mid=baseline, high=baseline, confidence=CONFIDENCE),
        per_connection=Estimate(
            low=slope(ceiling.high),
            mid=slope(ceiling.mid),
            high=slope(ceiling.low),
            confidence=CONFIDENCE,
        ),
        per_delivery_per_s=CONTAINED,
        per_request_per_s=CONTAINED,
        separated=("connections",),
        snapped=False,
        residual_ratio=rms / float(np.mean(tails)),
        windows=len(loads),
    )


def _use(record: RunRecord, steps: Collection[int], limit: Limit, quantile: float) -> LatencyUse:
    points = sorted(
        (step.load.connections, step.index, histogram.quantile_us(0.5), tail_us)
        for step in record.steps
        if step.index in steps and step.step.is_mix and is_usable(step)
        if step.load is not None and step.load.connections > 0.0
        if (histogram := record.histograms.get((step.index, limit.resource))) is not None
        if _tells(histogram, quantile) and (tail_us := histogram.quantile_us(quantile)) > 0.0
    )
    return LatencyUse(
        limit=limit,
        steps=tuple(index for _, index, _, _ in points),
        connections=tuple(connections for connections, _, _, _ in points),
        medians_s=tuple(median_us / 1e6 for _, _, median_us, _ in points),
        tails_s=tuple(tail_us / 1e6 for _, _, _, tail_us in points),
    )


def _tells(histogram: Histogram, quantile: float) -> bool:
    """Tell whether at least one value lies beyond the quantile."""
    return histogram.total * (1.0 - quantile) >= 1.0 - 1e-9


def _forecast(use: LatencyUse) -> float:
    raw = connections_at_latency(use.connections, use.medians_s, use.tails_s, _limit_s(use))
    return corrected(raw, max(use.connections), _misses(use)) if raw <= LARGEST else raw


def _misses(use: LatencyUse) -> Sequence[Miss]:
    return misses_of(scatter_around_line(use.connections, use.tails_s))


def _limit_s(use: LatencyUse) -> float:
    assert use.limit.value is not None, "an objective has a number"
    return use.limit.value
