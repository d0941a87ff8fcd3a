"""
One resource's costs from the windows: the fit, its scatter, and what one more connection takes.

What flows runs out by its mean, so the line goes through the means of whole steps; what is held goes
through those of the windows, bursts left out. What runs out of memory is the peak and not the mean, so for memory the baseline is raised to the envelope of the windows' peaks, or the line by that
of its bursts where they grow with the connections (memory_bursts.py). What is taken only after a
while is charged to the connections as well (settled_memory.py). What memory stays
with the target when connections leave has a column of its own (unreleased_memory.py), and so have what a fresh
process allocates when it is first used, and a jump (models/breaks.py), which count as baseline:
capacity lies above them. A jump between two loads may be the first of a staircase: arenas, slabs and
tables grow by steps. A quarter of the replicates takes it as that, which lowers the lower end.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import CONTAINED, UnitCost
from capacity.domain.resource_facts import COUNTED, ENVELOPED, FLOWS
from capacity.domain.resources import Resource
from capacity.models.breaks import is_raised_by_first_use, strongest_break
from capacity.models.counted import snapped_slope, straight_rows
from capacity.models.design import SEPARABLE_BELOW, condition_number
from capacity.models.uncertainty.bootstrap import interval_around
from capacity.models.uncertainty.intervals import CONFIDENCE
from capacity.models.unit_costs import RobustFit, peak_reserve, robust_costs, solved_costs
from capacity.models.wild_bootstrap import redrawn_costs
from capacity.planning.costs.lingering_entries import lingering_cost
from capacity.planning.costs.memory_bursts import burst_costs
from capacity.planning.costs.settled_memory import settling_cost
from capacity.planning.costs.unreleased_memory import departed_connections
from capacity.planning.evidence.load_components import Attribution, design, mix_vector
from capacity.planning.evidence.windows import Window

_STAIR_EVERY = 4
"""Every so manieth replicate takes a jump as one of many."""
_CONNECTIONS = 1
"""Column of the design; column 0 is the baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRows:
    """What the line of one resource goes through, and the robust fit of it."""

    present: Sequence[int]
    """Windows with a reading."""
    rows: Sequence[int]
    """Window whose load each row has; of a flow, the first of its step."""
    steps: Sequence[int]
    matrix: NDArray[np.float64]
    """The baseline, the components, and what of memory has a column of its own."""
    jumps: dict[int, float]
    """Column of a jump -> connections after which it came."""
    use: NDArray[np.float64]
    fit: RobustFit


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
    normals: NDArray[np.float64],
) -> ResourceFit:
    """Return the fit through those *windows* that have a reading; there must be at least one.

    *normals* holds a factor for the error of every window in every replicate, the same for all
    windows of a step; it may have no replicates.
    """
    components = attributed.of(resource)
    rows = cost_rows(resource, windows, attributed)
    matrix, use, fit = rows.matrix, rows.use, rows.fit
    drawn = normals[:, rows.rows]
    coefficients = redrawn_costs(matrix, use, fit, rows.steps, drawn)
    snap = None
    if resource in COUNTED and attributed.snaps:
        slopes = coefficients[:, _CONNECTIONS]
        snap = snapped_slope(
            float(slopes[-1]), float(np.std(slopes[:-1])) if len(slopes) > 1 else 0
        )
    if snap is not None:
        rest, left, refit = _without_slope(snap, matrix, use, fit)
        redrawn = redrawn_costs(rest, left, refit, rows.steps, drawn)
        coefficients = np.insert(redrawn, _CONNECTIONS, snap, axis=1)
    mean_use = float(np.mean(use))
    line = matrix @ coefficients[-1]
    rms = math.sqrt(float(np.mean((use - line) ** 2)))
    if resource in ENVELOPED:
        bursts = burst_costs(windows, float(np.max(use))) if resource is Resource.MEMORY else None
        at_rest, each = bursts or (peak_reserve(*_peaks(resource, windows, rows.present)), 0.0)
        coefficients[:, 0] += at_rest
        coefficients[:, _CONNECTIONS] += each + settling_cost(resource, windows, rows.steps, line)
    _charge_lingering(coefficients, components, lingering_cost(resource, windows), mix)
    for column, after in rows.jumps.items():
        is_stair = np.zeros(len(coefficients), dtype=np.bool_)
        if after > 0.0:
            is_stair[:-1:_STAIR_EVERY] = True
        size = coefficients[:, column]
        coefficients[~is_stair, 0] += size[~is_stair]
        coefficients[is_stair, _CONNECTIONS] += size[is_stair] / after
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
        windows=len(rows.present),
    )
    return ResourceFit(
        cost=cost,
        baseline=coefficients[:, 0],
        marginal=coefficients[:, 1:] @ mix_vector(mix, components),
    )


def cost_rows(resource: Resource, windows: Sequence[Window], attributed: Attribution) -> CostRows:
    """Return the rows of those *windows* that have a reading; there must be at least one."""
    components = attributed.of(resource)
    present = _rows(resource, windows, components)
    rows, use, errors = _uses(resource, windows, present)
    matrix, jumps = _matrix(resource, windows, components, rows, use)
    return CostRows(
        present=present,
        rows=rows,
        steps=[windows[row].step for row in rows],
        matrix=matrix,
        jumps=jumps,
        use=use,
        fit=robust_costs(matrix, use, errors, is_flow=resource in FLOWS),
    )


def _charge_lingering(
    coefficients: NDArray[np.float64], components: Sequence[str], lingering: float, mix: LoadVector
) -> None:
    """Charge *lingering* entries of a request a second to the requests, or to the connections where

    these are not told apart from them.
    """
    if "requests_per_s" in components:
        column = 1 + components.index("requests_per_s")
        coefficients[:, column] = np.maximum(coefficients[:, column], lingering)
    else:
        coefficients[:, _CONNECTIONS] += lingering * mix.requests_per_s


def _rows(resource: Resource, windows: Sequence[Window], components: Sequence[str]) -> list[int]:
    """Return the windows with a reading; of a counted resource, those beyond its last kink.

    Of memory, those of plateaus that are equally long: what settles has to have settled as far.
    """
    present = [row for row, window in enumerate(windows) if resource in window.mean]
    if resource in ENVELOPED:
        return [row for row in present if not windows[row].is_held_longer]
    if resource not in COUNTED:
        return present
    read = [windows[row] for row in present]
    is_straight = straight_rows(
        design(read, components),
        np.array([window.mean[resource] for window in read]),
        [window.asked_connections for window in read],
    )
    return [row for row, is_used in zip(present, is_straight, strict=True) if is_used]


def _uses(
    resource: Resource, windows: Sequence[Window], present: Sequence[int]
) -> tuple[list[int], NDArray[np.float64], NDArray[np.float64]]:
    """Return the rows of a fit, their uses and the standard errors of these.

    Of a flow that is the mean over a step, which stands in the row of its first window.
    """
    use = np.array([windows[row].mean[resource] for row in present])
    errors = np.array([windows[row].error.get(resource, 0.0) for row in present])
    if resource not in FLOWS:
        return list(present), use, errors
    _, first, members, counts = np.unique(
        [windows[row].step for row in present],
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    return (
        [present[row] for row in first],
        np.bincount(members, weights=use) / counts,
        np.sqrt(np.bincount(members, weights=errors**2)) / counts,
    )


def _peaks(
    resource: Resource, windows: Sequence[Window], present: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the steady use of its step for each window, and the window's peak."""
    of_step: defaultdict[int, list[float]] = defaultdict(list)
    for row in present:
        of_step[windows[row].step].append(windows[row].mean[resource])
    steady = [median(of_step[windows[row].step]) for row in present]
    return np.array(steady), np.array([windows[row].peak[resource] for row in present])


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
) -> tuple[NDArray[np.float64], dict[int, float]]:
    """Return the design, and the columns of it that are jumps of memory which were found, each with

    the connections after which it came: none for what the first use of a process adds. What was
    added at once is no part of the cost per connection, and stays above the jump.
    """
    matrix = use_design(resource, windows, components, present)
    jumps: dict[int, float] = {}
    if resource not in ENVELOPED:
        return matrix, jumps
    _, first, members = np.unique(
        [windows[row].step for row in present], return_index=True, return_inverse=True
    )
    by_step = np.bincount(members, weights=use) / np.bincount(members)
    asked = np.array([float(windows[row].asked_connections) for row in present])
    levels = asked[first].tolist()
    if is_raised_by_first_use(matrix[first], by_step, levels):
        jumps[matrix.shape[1]] = 0.0
        matrix = np.column_stack([matrix, asked > 0.0])
    found = strongest_break(matrix[first], by_step, levels)
    if found is None or found.jump <= 0.0:
        return matrix, jumps
    wider = np.column_stack([matrix, asked > found.at])
    if condition_number(wider) > SEPARABLE_BELOW:
        return matrix, jumps
    jumps[matrix.shape[1]] = (found.at + found.until) / 2.0
    return wider, jumps


def _without_slope(
    slope: float, matrix: NDArray[np.float64], use: NDArray[np.float64], fit: RobustFit
) -> tuple[NDArray[np.float64], NDArray[np.float64], RobustFit]:
    """Return design, use and fit of the rest once the cost per connection is given."""
    rest = np.delete(matrix, _CONNECTIONS, axis=1)
    left = use - slope * matrix[:, _CONNECTIONS]
    costs = solved_costs(rest, left[None, :], fit.weights)[0]
    return rest, left, replace(fit, coefficients=costs)


def _component(by_name: dict[str, NDArray[np.float64]], name: str) -> Estimate:
    """Return the cost of a component; with confidence 0 where it is contained in another's."""
    if name not in by_name:
        return CONTAINED
    return _estimate(by_name[name])


def _estimate(values: NDArray[np.float64]) -> Estimate:
    return interval_around(float(values[-1]), values, CONFIDENCE)
