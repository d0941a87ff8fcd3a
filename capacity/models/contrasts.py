"""
What a cost along a mix is, and how sure: the numbers that two runs are compared by.

A plan's interval must hold for the truth; two runs of one target share what a straight line misses, so
that the scatter alone decides between them. The line goes through the means of the steps, as steps and
not windows are what differs by chance, with the weights that the robust fit ended with (unit_costs.py).
Its relative errors are taken to be of one size at all steps of both runs: their pooled mean square,
or what the samples within the steps scatter by where that is more, has a degree of freedom for each
step beyond the coefficients (Seber & Lee, Linear Regression Analysis, 2003, ch. 3 and 5); outliers
weigh less, which the share of the others makes up for (Huber, Robust Statistics, 1981, ch. 7.6).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capacity.models.unit_costs import FLOOR_RATIO, RobustFit, column_scales

_TRUSTED_WHOLLY = 0.9
_LEAST_INSIDE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """A line through the means of steps."""

    coefficients: NDArray[np.float64]
    shape: NDArray[np.float64]
    """(X'WX)⁻¹: the covariance of the coefficients for a relative error of 1."""
    square: float
    """Mean square of the relative errors within steps, of a step's mean."""
    residual_square: float
    """Sum of the squared relative residuals of the steps, made up for what was trusted less."""
    spare: int
    """Steps beyond the coefficients; at least 0."""

    def value(self, vector: NDArray[np.float64]) -> float:
        return float(self.coefficients @ vector)

    def reach(self, vector: NDArray[np.float64]) -> float:
        """Return the standard error of `value` for a relative error of 1 of each step."""
        return math.sqrt(max(float(vector @ self.shape @ vector), 0.0))


def step_line(
    design: NDArray[np.float64],
    use: NDArray[np.float64],
    fit: RobustFit,
    steps: Sequence[int],
) -> StepLine:
    """Return the line through the weighted means of *steps*; rows of one step share their load."""
    _, first, members = np.unique(np.asarray(steps), return_index=True, return_inverse=True)
    counts = np.bincount(members)
    sums = np.bincount(members, weights=fit.weights)
    means = np.bincount(members, weights=fit.weights * use) / sums
    errors = np.sqrt(np.bincount(members, weights=(fit.weights * fit.errors) ** 2)) / sums
    weights = sums / counts
    scales = column_scales(design)
    scaled = design[first] / scales * np.sqrt(weights)[:, None]
    coefficients = np.linalg.lstsq(scaled, means * np.sqrt(weights), rcond=None)[0] / scales
    line = design[first] @ coefficients
    residuals = (means - line) * np.sqrt(weights)
    inside = _share_inside(weights, line, use)
    return StepLine(
        coefficients=coefficients,
        shape=np.linalg.pinv(scaled.T @ scaled) / np.outer(scales, scales),
        square=float(np.mean(weights * errors**2)),
        residual_square=float(residuals @ residuals) / inside**2,
        spare=max(len(first) - design.shape[1], 0),
    )


def _share_inside(
    weights: NDArray[np.float64], line: NDArray[np.float64], use: NDArray[np.float64]
) -> float:
    """Return the share of the steps that the robust fit trusts wholly; at least a half."""
    floor = FLOOR_RATIO * float(np.max(np.abs(use))) or 1.0
    trust = weights * np.maximum(line, floor) ** 2
    return max(float(np.mean(trust > _TRUSTED_WHOLLY)), _LEAST_INSIDE)


def pooled_error(lines: Sequence[StepLine]) -> tuple[float, int] | None:
    """Return the relative error of a step's mean in all *lines*, and its degrees of freedom.

    None where no line has a step to spare: nothing then tells how sure it is.
    """
    spare = sum(line.spare for line in lines)
    if spare == 0:
        return None
    between = sum(line.residual_square for line in lines) / spare
    within = sum(line.square for line in lines) / len(lines)
    return math.sqrt(max(between, within)), spare
