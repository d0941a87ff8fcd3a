"""
What a resource costs: use = b₀ + b·load with b ≥ 0, fitted robustly.

Relative weights (an error of 1 % counts the same at every level), inside iteratively reweighted
least squares with Huber's function (Huber, Ann. Math. Stat. 35, 1964; k = 1.345 keeps 95 % of the
efficiency under normal noise). Columns are scaled to a largest value of 1 before solving.

What is held (memory, descriptors) has a steady level with bursts above it: upward outliers weigh
(k/u)² instead of k/u, as they are more frequent than lulls, and the bursts are added afterwards.
What flows (processor time, bytes sent) runs out by its mean, and a garbage collection is part of
it: its rows are means over whole steps, and only a step is an outlier, upwards as downwards. The
scale is then no smaller than the standard error of such a mean: where rare work comes in bursts the
means scatter unevenly, and half of them close together do not make the others outliers.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capacity.models.nonnegative import nonnegative_least_squares

HUBER_K = 1.345
MAX_ITERATIONS = 25
NEGLIGIBLE = 1e-100
"""A column without a larger entry has no cost of its own."""
PEAK_QUANTILE = 0.95
_SETTLED = 1e-5
"""Largest relative move of a fitted use at which the iteration ends."""
_SMALLEST_SCALE = 1e-3
"""Relative residuals below 0.1 % are no outliers, however exact the rest is."""
FLOOR_RATIO = 0.1
"""Uses below a tenth of the largest weigh as if they were a tenth of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustFit:
    """Coefficients, and the weight that each row ended with."""

    coefficients: NDArray[np.float64]
    """b, one a column of the design."""
    weights: NDArray[np.float64]
    errors: NDArray[np.float64]
    """Standard error of each use, as far as is known from within it."""


def robust_costs(
    design: NDArray[np.float64],
    use: NDArray[np.float64],
    errors: NDArray[np.float64] | None = None,
    *,
    is_flow: bool = False,
) -> RobustFit:
    """Return b ≥ 0 for use ≈ design·b; the design brings its own column of ones.

    *errors* are the standard errors of the uses, nothing where they are not known.
    """
    errors = np.zeros(len(use)) if errors is None else errors
    floor = FLOOR_RATIO * float(np.max(np.abs(use))) or 1.0
    weights = 1.0 / np.maximum(use, floor) ** 2
    coefficients = refitted_costs(design, use, weights)
    for _ in range(MAX_ITERATIONS):
        fitted = design @ coefficients
        expected = np.maximum(fitted, floor)
        relative = (use - fitted) / expected
        scale = max(1.4826 * float(np.median(np.abs(relative))), _SMALLEST_SCALE)
        if is_flow:
            scale = max(scale, math.sqrt(float(np.mean((errors / expected) ** 2))))
        excess = np.maximum(np.abs(relative) / (scale * HUBER_K), 1.0)
        trust = 1.0 / excess
        if not is_flow:
            trust = np.where(relative > 0.0, trust**2, trust)
        weights = trust / expected**2
        before, coefficients = coefficients, refitted_costs(design, use, weights)
        moved = np.max(np.abs(design @ (coefficients - before)) / expected)
        if moved < _SETTLED:
            break
    return RobustFit(coefficients=coefficients, weights=weights, errors=errors)


def peak_reserve(line: NDArray[np.float64], peaks: NDArray[np.float64]) -> float:
    """Return by how much the peaks rise above the steady *line*: their 0.95 quantile, ≥ 0.

    Added to the baseline it makes the envelope. The slope stays that of the steady use: bursts come
    and go by chance, and a line through them would take its slope from where they happened to fall.
    """
    return max(0.0, float(np.quantile(peaks - line, PEAK_QUANTILE)))


def refitted_costs(
    design: NDArray[np.float64],
    use: NDArray[np.float64],
    weights: NDArray[np.float64],
    resampling: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the weighted fit; with *resampling* (B, rows) one fit a row of it, (B, columns).

    The row weights stay those of the robust fit while rows are resampled, as in the fast robust
    bootstrap (Salibian-Barrera & Zamar, Ann. Stat. 30, 2002): outliers stay outliers.
    """
    scales = column_scales(design)
    height = max(float(np.max(np.abs(use))), np.finfo(float).tiny)
    scaled = design / scales
    weighted = scaled * (weights / np.max(weights))[:, None]
    products = weighted[:, :, None] * scaled[:, None, :]
    moments = weighted * (use / height)[:, None]
    if resampling is None:
        gram, moment = products.sum(axis=0), moments.sum(axis=0)
    else:
        columns = design.shape[1]
        gram = (resampling @ products.reshape(len(use), columns * columns)).reshape(
            len(resampling), columns, columns
        )
        moment = resampling @ moments
    costs: NDArray[np.float64] = nonnegative_least_squares(gram, moment) * height / scales
    return costs


def solved_costs(
    design: NDArray[np.float64], uses: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted fit of each row of *uses* (B, rows) to one design, (B, columns)."""
    scales = column_scales(design)
    height = max(float(np.max(np.abs(uses))), np.finfo(float).tiny)
    scaled = design / scales
    weighted = scaled * (weights / np.max(weights))[:, None]
    costs: NDArray[np.float64] = nonnegative_least_squares(
        weighted.T @ scaled, (uses / height) @ weighted
    )
    return costs * height / scales


def column_scales(design: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest value of each column.

    A load that hardly was there tells no cost: divided by infinity its column is zero.
    """
    largest = np.max(np.abs(design), axis=0)
    return np.where(largest > NEGLIGIBLE, largest, np.inf)
