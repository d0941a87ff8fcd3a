"""
Which loads tell costs apart: the condition number of those tested, and the best choice of more.

Columns scaled to equal size, largest over smallest singular value: above 30 the coefficients of
dependent columns are arbitrary (Belsley, Kuh & Welsch, Regression Diagnostics, 1980, ch. 3).

The choice is D-optimal, by exchange: it maximises det(XᵀWX) (Fedorov, Theory of Optimal
Experiments, 1972; the volume of the joint confidence region of the costs goes with its inverse
root). Weights W = 1/ŷ², because errors of use are relative; ŷ is what use grows like before
anything is known: a baseline and all columns alike. Each slot is chosen from candidates of its own,
and none twice from the same ones. Without any chance in it: the same question gets the same answer.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

SEPARABLE_BELOW = 30.0
SINGULAR = 1e9
"""Reported for columns that are collinear to the last digit."""
BASELINE_SHARE = 0.1
"""Of the largest use, as the fits assume too (unit_costs)."""
_RIDGE_RATIO = 1e-9
"""Lets a design that is still singular be compared with another one."""
_GAIN = 1e-9
"""Exchanges that gain less than this in ln det end the search."""


def condition_number(design: Matrix) -> float:
    """Return κ of *design* with every column scaled to length 1, at most SINGULAR."""
    lengths = np.linalg.norm(design, axis=0)
    if design.shape[0] < design.shape[1] or np.any(lengths == 0.0):
        return SINGULAR
    singular_values = np.linalg.svd(design / lengths, compute_uv=False)
    smallest = max(float(singular_values[-1]), float(singular_values[0]) / SINGULAR)
    return float(singular_values[0]) / smallest


def d_optimal_choice(fixed: Matrix, slots: Sequence[Matrix]) -> tuple[int, ...]:
    """Return the row chosen for each slot, beside the *fixed* rows that are tested anyway.

    All matrices have the same columns, without that of the baseline. Slots that share one matrix
    object choose different rows of it. Raises ValueError when a matrix has too few rows for that.
    """
    for candidates in slots:
        if sum(candidates is other for other in slots) > len(candidates):
            raise ValueError(f"{len(candidates)} candidates are too few for their slots")
    largest = np.max(np.abs(np.vstack([fixed, *slots])), axis=0)
    used = largest > 0.0
    scales = largest[used]
    base = _information(_weighted(fixed[:, used] / scales))
    # Of each slot and candidate, what it adds to the information matrix.
    added = [
        np.array([_information(row[None, :]) for row in _weighted(slot[:, used] / scales)])
        for slot in slots
    ]
    chosen: dict[int, int] = {}
    total = base + _RIDGE_RATIO * np.eye(len(base))
    best = _log_det(total)
    improves = True
    while improves:
        improves = False
        for slot, candidates in enumerate(slots):
            now = chosen.get(slot)
            rest = total if now is None else total - added[slot][now]
            taken = {
                row for other, row in chosen.items() if slots[other] is candidates and other != slot
            }
            values = [
                -np.inf if row in taken else _log_det(rest + added[slot][row])
                for row in range(len(candidates))
            ]
            row = int(np.argmax(values))
            if now is None or values[row] > best + _GAIN:
                chosen[slot], total, best = row, rest + added[slot][row], values[row]
                improves = True
    return tuple(chosen[slot] for slot in range(len(slots)))


def _weighted(scaled: Matrix) -> Matrix:
    rows = np.hstack([np.ones((len(scaled), 1)), scaled])
    expected = BASELINE_SHARE + (1.0 - BASELINE_SHARE) * scaled.mean(axis=1, keepdims=True)
    return np.asarray(rows / expected)


def _information(rows: Matrix) -> Matrix:
    return np.asarray(rows.T @ rows)


def _log_det(information: Matrix) -> float:
    sign, value = np.linalg.slogdet(information)
    return float(value) if sign > 0 else -np.inf
