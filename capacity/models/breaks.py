"""
Where use leaves one straight law: a jump or a bend between two levels of connections.

Two-phase regression (Quandt, J. Am. Stat. Assoc. 53, 1958): beside the columns of the straight law
a further one, 1 above the break (jump) or the connections beyond it (bend), tried between all
levels. The best is believed when the Bayesian information criterion n·ln(RSS/n) + k·ln n (Schwarz,
Ann. Stat. 6, 1978) falls by more than 6, "strong" evidence (Kass & Raftery, J. Am. Stat. Assoc. 90,
1995); a break costs two parameters, its place and its size.

One row a step, as windows of one step share their errors. Errors count relative to the use.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capacity.models.design import SEPARABLE_BELOW, condition_number
from capacity.models.unit_costs import FLOOR_RATIO

STRONG = 6.0
"""Fall of the criterion from which on a break is believed."""
FEWEST_LEVELS_A_SIDE = 2
FEWEST_USED = 3
"""Levels with connections from which on a line is told from a jump at the first of them."""
_PARAMETERS = 2.0
_SPARE_ROWS = 2
"""More rows than coefficients, or every law fits."""
_EXACT_RATIO = 1e-4
"""Root mean square residuals below this share of the use are as good as none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A change of the law above *at* connections."""

    at: float
    """The highest level below the break."""
    until: float
    """The lowest level above it: the break lies between."""
    jump: float
    """Use added at once; 0 for a bend."""
    bend: float
    """Use that each further connection adds; 0 for a jump."""
    evidence: float
    """Fall of the criterion."""


def strongest_break(
    design: NDArray[np.float64], use: NDArray[np.float64], levels: Sequence[float]
) -> Break | None:
    """Return the break that is believed, if any; *design* brings its column of ones."""
    places = sorted(set(levels))
    rows, columns = design.shape
    if rows < columns + _PARAMETERS + _SPARE_ROWS or condition_number(design) > SEPARABLE_BELOW:
        return None
    scale = _relative(use)
    straight, _ = _fit(design, use, scale)
    stands = np.asarray(levels, dtype=float)
    best: Break | None = None
    for side in range(FEWEST_LEVELS_A_SIDE, len(places) - FEWEST_LEVELS_A_SIDE + 1):
        at, until = places[side - 1], places[side]
        above = stands > at
        for column in (above.astype(float), np.where(above, stands - at, 0.0)):
            broken, coefficients = _fit(np.column_stack([design, column]), use, scale)
            evidence = rows * math.log(straight / broken) - _PARAMETERS * math.log(rows)
            if evidence > (STRONG if best is None else best.evidence):
                is_jump = float(column.max()) == 1.0
                size = float(coefficients[-1])
                best = Break(
                    at=at,
                    until=until,
                    jump=size if is_jump else 0.0,
                    bend=0.0 if is_jump else size,
                    evidence=evidence,
                )
    return best


def is_raised_by_first_use(
    design: NDArray[np.float64], use: NDArray[np.float64], levels: Sequence[float]
) -> bool:
    """Tell whether any load at all adds use at once, as a fresh process does that allocates once.

    The place of that jump is known beforehand, between no connections and some, so that it costs
    one parameter; FEWEST_USED levels above it tell it from a steep line.
    """
    stands = np.asarray(levels, dtype=float)
    column = (stands > 0.0).astype(float)
    wider = np.column_stack([design, column])
    rows, columns = wider.shape
    if (
        len(set(stands[stands > 0.0].tolist())) < FEWEST_USED
        or column.all()
        or rows < columns + _SPARE_ROWS
        or condition_number(wider) > SEPARABLE_BELOW
    ):
        return False
    scale = _relative(use)
    straight, _ = _fit(design, use, scale)
    raised, coefficients = _fit(wider, use, scale)
    evidence = rows * math.log(straight / raised) - math.log(rows)
    return bool(coefficients[-1] > 0.0 and evidence > STRONG)


def highest_level_miss(
    design: NDArray[np.float64], use: NDArray[np.float64], levels: Sequence[float]
) -> float | None:
    """Return ln(use / forecast) of the highest level by the line of those below it.

    None where those below leave no line to extrapolate, or nothing to compare with.
    """
    stands = np.asarray(levels, dtype=float)
    below = stands < stands.max()
    if len(set(stands[below].tolist())) <= FEWEST_LEVELS_A_SIDE or (
        condition_number(design[below]) > SEPARABLE_BELOW
    ):
        return None
    scale = _relative(use)
    _, coefficients = _fit(design[below], use[below], scale[below])
    forecast = float(np.mean(design[~below] @ coefficients))
    actual = float(np.mean(use[~below]))
    return math.log(actual / forecast) if forecast > 0.0 and actual > 0.0 else None


def _fit(
    design: NDArray[np.float64], use: NDArray[np.float64], scale: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the mean square of the relative residuals, never quite 0, and the coefficients."""
    lengths = np.max(np.abs(design), axis=0)
    weighted = design / lengths * scale[:, None]
    coefficients = np.linalg.lstsq(weighted, use * scale, rcond=None)[0]
    square = float(np.mean((weighted @ coefficients - use * scale) ** 2))
    return max(square, _EXACT_RATIO**2), coefficients / lengths


def _relative(use: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what makes errors relative to the use; below a tenth of the largest, to that."""
    return np.asarray(1.0 / np.maximum(np.abs(use), FLOOR_RATIO * np.max(np.abs(use)) or 1.0))
