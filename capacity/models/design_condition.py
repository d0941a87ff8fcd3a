"""
Can the run tell the costs apart? The condition number of the scaled design answers.

Columns scaled to equal size, largest over smallest singular value: above 30 the coefficients of
dependent columns are arbitrary (Belsley, Kuh & Welsch, Regression Diagnostics, 1980, ch. 3).
"""

import numpy as np
from numpy.typing import NDArray

SEPARABLE_BELOW = 30.0
SINGULAR = 1e9
"""Reported for columns that are collinear to the last digit."""


def condition_number(design: NDArray[np.float64]) -> float:
    """Return κ of *design* with every column scaled to length 1, at most SINGULAR."""
    lengths = np.linalg.norm(design, axis=0)
    if design.shape[0] < design.shape[1] or np.any(lengths == 0.0):
        return SINGULAR
    singular_values = np.linalg.svd(design / lengths, compute_uv=False)
    smallest = max(float(singular_values[-1]), float(singular_values[0]) / SINGULAR)
    return float(singular_values[0]) / smallest
