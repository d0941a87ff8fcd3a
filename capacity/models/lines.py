"""
Straight lines through (load, value) points, as (intercept, slope).

* least squares: every point counts alike;
* relative: non-negative and weighted by 1 / value², so that 1 % counts the same at every level;
* Theil–Sen: the median of the slopes between all pairs, then the median of what is left; up to
  29 % of the points may be anything (Theil 1950; Sen, J. Am. Stat. Assoc. 63, 1968).
"""

import numpy as np
from numpy.typing import NDArray

from capacity.models.nonnegative import nonnegative_least_squares

Line = tuple[float, float]

_FLOOR_RATIO = 1e-3
"""Values below a thousandth of the largest weigh as if they were that."""
_TINY = float(np.finfo(float).tiny)


def least_squares_line(loads: NDArray[np.float64], values: NDArray[np.float64]) -> Line:
    """Return the line; flat where all loads are equal."""
    centred = loads - loads.mean()
    square = float(centred @ centred)
    slope = float(centred @ values) / square if square > 0.0 else 0.0
    return float(values.mean()) - slope * float(loads.mean()), slope


def relative_line(loads: NDArray[np.float64], values: NDArray[np.float64]) -> Line:
    """Return the line with intercept and slope ≥ 0 of least relative error."""
    scale, height = (max(float(np.max(np.abs(v))), _TINY) for v in (loads, values))
    weights = np.reciprocal(np.maximum(np.abs(values) / height, _FLOOR_RATIO))
    matrix = np.stack([np.ones_like(loads), loads / scale], axis=1) * weights[:, None]
    right = values / height * weights
    intercept, slope = nonnegative_least_squares(matrix.T @ matrix, matrix.T @ right)
    return float(intercept) * height, float(slope) * height / scale


def theil_sen_line(loads: NDArray[np.float64], values: NDArray[np.float64]) -> Line:
    """Return the line; flat where all loads are equal."""
    first, second = np.triu_indices(len(loads), k=1)
    runs = loads[second] - loads[first]
    rises = values[second] - values[first]
    slopes = rises[runs != 0.0] / runs[runs != 0.0]
    slope = float(np.median(slopes)) if len(slopes) else 0.0
    return float(np.median(values - slope * loads)), slope
