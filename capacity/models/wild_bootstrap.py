"""
Scatter of fitted costs: what other errors of the steps would have made of them.

Wild bootstrap by clusters (Wu, Ann. Stat. 14, 1986; Cameron, Gelbach & Miller, Rev. Econ. Stat. 90,
2008): every step keeps its load and the size of its error, and gets another chance at its sign and
extent. The unit is the step and not the window: what makes a plateau differ from the line (another
state of the heap, of a cache, of the neighbours) stays for all of its windows.

An error is the one that the step has to the line of the *other* steps, residual / (1 − leverage), as
a fit follows the few steps it has (MacKinnon & White, J. Econometrics 29, 1985: HC3); it is no
smaller than what the windows within steps scatter by. Factors are standard normal, widened to
Student's t with one degree of freedom a step that is not used up by a cost.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capacity.models.uncertainty.bootstrap import REPLICATES
from capacity.models.unit_costs import RobustFit, column_scales, solved_costs

_TAIL_DEVIATIONS = 1.6449
"""Of a one-sided 95 %, where the factor of Student's t is taken."""
_LEAST_SPARE = 0.05
"""A step by which a cost stands or falls has no residual; its error is not blown up further."""


def step_normals(
    steps: Sequence[int], generator: np.random.Generator, *, replicates: int = REPLICATES
) -> NDArray[np.float64]:
    """Return a standard normal factor for every row in every replicate, (replicates, rows).

    Rows of one of the *steps* share theirs, in every resource: what disturbed a step disturbed
    its processor time and its event loop alike.
    """
    different, members = np.unique(np.asarray(steps), return_inverse=True)
    by_step = generator.standard_normal((replicates, len(different)))
    return by_step[:, members]


def student_ratio(degrees: int) -> float:
    """Return t / z at one-sided 95 % with so many degrees of freedom; at least one is taken.

    Expansion in 1/ν (Abramowitz & Stegun 26.7.5); 5 % too small at ν = 1, below 1 % from 2 on.
    """
    nu, x = float(max(degrees, 1)), _TAIL_DEVIATIONS
    terms = (
        (x**3 + x) / 4,
        (5 * x**5 + 16 * x**3 + 3 * x) / 96,
        (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384,
        (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / 92_160,
    )
    return 1.0 + math.fsum(term / nu ** (power + 1) for power, term in enumerate(terms)) / x


def redrawn_costs(
    design: NDArray[np.float64],
    use: NDArray[np.float64],
    fit: RobustFit,
    steps: Sequence[int],
    normals: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return b ≥ 0 in every replicate of *normals*, the fit itself last: (replicates + 1, columns).

    The row weights stay those of the robust fit, as in the fast robust bootstrap
    (Salibian-Barrera & Zamar, Ann. Stat. 30, 2002): outliers stay outliers.
    """
    different, members = np.unique(np.asarray(steps), return_inverse=True)
    line = design @ fit.coefficients
    of_step = np.bincount(members, weights=fit.weights)
    means = np.bincount(members, weights=fit.weights * (use - line)) / of_step
    within = np.bincount(members, weights=(fit.weights * fit.errors) ** 2)
    spare = np.maximum(1.0 - _leverages(design, fit.weights, members), _LEAST_SPARE)
    extent = np.maximum(np.abs(means) / spare, np.sqrt(within) / of_step)
    error = np.copysign(extent, means)
    factor = student_ratio(len(different) - design.shape[1])
    uses = line + factor * normals * error[members]
    return solved_costs(design, np.vstack([uses, line]), fit.weights)


def _leverages(
    design: NDArray[np.float64], weights: NDArray[np.float64], members: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how much of its own fitted use each step decides, 0 to 1."""
    root = design / column_scales(design) * np.sqrt(weights / np.max(weights))[:, None]
    hat = np.einsum("ij,jk,ik->i", root, np.linalg.pinv(root.T @ root), root)
    return np.asarray(np.bincount(members, weights=hat), dtype=np.float64)
