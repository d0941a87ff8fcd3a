"""
One resource's costs from the windows: the fit, its scatter, and what one more connection takes.

The line goes through the means of the windows. What runs out of memory is the peak and not the
mean, so for memory the baseline is raised to the envelope of the windows' peaks, or the line by that
of its bursts where they grow with the connections (bursts.py). What memory stays
with the target when connections leave has a column of its own (kept.py), and so has a jump
(models/breaks.py), which counts as baseline: capacity lies above it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import CONTAINED, UnitCost
from capacity.domain.resources import COUNTED, PROCESS_BYTES, Resource
from capacity.models.bootstrap import spread_quantiles, widened
from capacity.models.breaks import strongest_break
from capacity.models.design_condition import SEPARABLE_BELOW, condition_number
from capacity.models.intervals import CONFIDENCE
from capacity.models.snapping import snapped_slope
from capacity.models.straight_part import straight_rows
from capacity.models.unit_costs import RobustFit, peak_reserve, refitted_costs, robust_costs
from capacity.planning.bursts import burst_costs
from capacity.planning.components import Attribution, design, mix_vector
from capacity.planning.kept import departed_connections
from capacity.planning.windows import Window

ENVELOPED = PROCESS_BYTES | {Resource.MEMORY, Resource.HOST_MEMORY, Resource.TCP_MEMORY}

_CONNECTIONS = 1
"""Column of the design; column 0 is the baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFit:
    """The costs of one resource, at best and in every replicate."""

    cost: UnitCost
    baseline: NDArray[np.float64]
    """b₀ by replicate; the last entry is the fit itself."""
    marginal: NDArray[np.float64]
    """b·d by replicate, likewise."""


def fitted_costs(
    resource: Resource,
    windows: Sequence[Window],
    attributed: Attribution,
    mix: LoadVector,
    resampling: NDArray[np.float64],
) -> ResourceFit:
    """Return the fit through those *windows* that have a reading; there must be at least one.

    *resampling* holds a weight for every window in every replicate; it may have no replicates.
    """
    components = attributed.of(resource)
    present = _rows(resource, windows, components)
    use = np.array([windows[row].mean[resource] for row in present])
    matrix, jumped = _matrix(resource, windows, components, present, use)
    # The point fit is the replicate in which every window weighs the same.
    weights = np.vstack([resampling[:, present], np.ones(len(present))])
    fit = robust_costs(matrix, use)
    coefficients = refitted_costs(matrix, use, fit.weights, weights)
    snap = None
    if resource in COUNTED and attributed.snaps:
        slopes = coefficients[:, _CONNECTIONS]
        snap = snapped_slope(
            float(slopes[-1]), float(np.std(slopes[:-1])) if len(slopes) > 1 else 0
        )
    if snap is not None:
        coefficients = _with_slope(snap, matrix, use, fit, weights)
    coefficients = widened(coefficients, coefficients[-1], *matrix.shape)
    mean_use = float(np.mean(use))
    line = matrix @ coefficients[-1]
    rms = math.sqrt(float(np.mean((use - line) ** 2)))
    if resource in ENVELOPED:
        peaks = np.array([windows[row].peak[resource] for row in present])
        bursts = burst_costs(windows, float(np.max(use))) if resource is Resource.MEMORY else None
        at_rest, each = bursts or (peak_reserve(line, peaks), 0.0)
        coefficients[:, 0] += at_rest
        coefficients[:, _CONNECTIONS] += each
    if jumped is not None:
        coefficients[:, 0] += coefficients[:, jumped]
    coefficients = coefficients[:, : 1 + len(components)]
    by_name = dict(zip(components, coefficients.T[1:], strict=True))
    cost = UnitCost(
        resource=resource,
        baseline=_estimate(coefficients[:, 0]),
        per_connection=_component(by_name, "connections"),
        per_delivery_per_s=_component(by_name, "deliveries_per_s"),
        per_request_per_s=_component(by_name, "requests_per_s"),
        per_handshake_per_s=_component(by_name, "handshakes_per_s"),
        separated=components,
        snapped=snap is not None,
        residual_ratio=rms / mean_use if mean_use > 0.0 else 0.0,
        windows=len(present),
    )
    return ResourceFit(
        cost=cost,
        baseline=coefficients[:, 0],
        marginal=coefficients[:, 1:] @ mix_vector(mix, components),
    )


def _rows(resource: Resource, windows: Sequence[Window], components: Sequence[str]) -> list[int]:
    """Return the windows with a reading; of a counted resource, those beyond its last kink."""
    present = [row for row, window in enumerate(windows) if resource in window.mean]
    if resource not in COUNTED:
        return present
    read = [windows[row] for row in present]
    is_straight = straight_rows(
        design(read, components),
        np.array([window.mean[resource] for window in read]),
        [window.asked_connections for window in read],
    )
    return [row for row, is_used in zip(present, is_straight, strict=True) if is_used]


def use_design(
    resource: Resource, windows: Sequence[Window], components: Sequence[str], rows: Sequence[int]
) -> NDArray[np.float64]:
    """Return the design of those *rows* of the windows: ones, the components, and of memory what

    departed connections left behind, where that can be told.
    """
    matrix = design([windows[row] for row in rows], components)
    if resource not in ENVELOPED:
        return matrix
    wider = np.column_stack([matrix, departed_connections(windows)[list(rows)]])
    is_told = wider[:, -1].any() and condition_number(wider) <= SEPARABLE_BELOW
    return wider if is_told else matrix


def _matrix(
    resource: Resource,
    windows: Sequence[Window],
    components: Sequence[str],
    present: Sequence[int],
    use: NDArray[np.float64],
) -> tuple[NDArray[np.float64], int | None]:
    """Return the design, and which column of it is a jump of memory that was found, if any.

    What was added at once is no part of the cost per connection, and stays above the jump.
    """
    matrix = use_design(resource, windows, components, present)
    if resource not in ENVELOPED:
        return matrix, None
    _, first, members = np.unique(
        [windows[row].step for row in present], return_index=True, return_inverse=True
    )
    by_step = np.bincount(members, weights=use) / np.bincount(members)
    asked = np.array([float(windows[row].asked_connections) for row in present])
    found = strongest_break(matrix[first], by_step, asked[first].tolist())
    if found is None or found.jump <= 0.0:
        return matrix, None
    wider = np.column_stack([matrix, asked > found.at])
    if condition_number(wider) > SEPARABLE_BELOW:
        return matrix, None
    return wider, matrix.shape[1]


def _with_slope(
    slope: float,
    matrix: NDArray[np.float64],
    use: NDArray[np.float64],
    fit: RobustFit,
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the coefficients with the cost per connection given and the rest fitted again."""
    rest = np.delete(matrix, _CONNECTIONS, axis=1)
    refitted = refitted_costs(rest, use - slope * matrix[:, _CONNECTIONS], fit.weights, weights)
    return np.insert(refitted, _CONNECTIONS, slope, axis=1)


def _component(by_name: dict[str, NDArray[np.float64]], name: str) -> Estimate:
    """Return the cost of a component; with confidence 0 where it is contained in another's."""
    if name not in by_name:
        return CONTAINED
    return _estimate(by_name[name])


def _estimate(values: NDArray[np.float64]) -> Estimate:
    low, high = spread_quantiles(values, CONFIDENCE)
    mid = float(values[-1])
    return Estimate(
        low=min(float(low), mid), mid=mid, high=max(float(high), mid), confidence=CONFIDENCE
    )
