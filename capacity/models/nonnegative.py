"""
Non-negative least squares, exact, for many small problems at once.

min ‖A·b − y‖² with b ≥ 0 has its optimum at the unconstrained solution over some set of columns
(Karush-Kuhn-Tucker; Lawson & Hanson, Solving Least Squares Problems, 1974, ch. 23). A load has few
components, so all sets of columns can be tried, which also does a whole bootstrap in
one call. Problems come as their normal equations: gram = AᵀA, moment = Aᵀy.
"""

from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

_RIDGE_RATIO = 1e-12
"""Keeps exactly collinear columns solvable; far below what any measurement resolves."""


def nonnegative_least_squares(
    gram: NDArray[np.float64], moment: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return b ≥ 0, shape (…, p), for *gram* (…, p, p) and *moment* (…, p)."""
    columns = moment.shape[-1]
    chosen = _subsets(columns)
    identity = np.eye(columns)
    ridge = _RIDGE_RATIO * np.trace(gram, axis1=-2, axis2=-1)[..., None, None] * identity
    inside = chosen[:, :, None] * chosen[:, None, :]
    system = (gram + ridge)[..., None, :, :] * inside + identity * (1.0 - chosen)[:, :, None]
    right = moment[..., None, :] * chosen
    solution = np.linalg.solve(system, right[..., None])[..., 0]
    # ½b'Gb − c'b equals −½c'b at a stationary point.
    objective = -np.sum(right * solution, axis=-1)
    objective[np.any(solution < 0.0, axis=-1)] = np.inf
    best = np.argmin(objective, axis=-1)
    return np.asarray(np.take_along_axis(solution, best[..., None, None], axis=-2)[..., 0, :])


@cache
def _subsets(columns: int) -> NDArray[np.float64]:
    """Return all sets of columns, fewest first: argmin gives ties to the simpler law."""
    return np.array(sorted(product((0.0, 1.0), repeat=columns), key=sum))
