"""
The Universal Scalability Law: throughput X(N) = γ·N / (1 + α·(N − 1) + β·N·(N − 1)).

γ is the throughput of one, α contention (what waits in line), β coherency (what everybody must tell
everybody): Gunther, Guerrilla Capacity Planning, 2007. With β > 0 throughput peaks at
N* = √((1 − α) / β). Fitted by least squares of X with α, β ≥ 0, by Levenberg–Marquardt from the
solution of the linear form N / X = (1 + α·(N − 1) + β·N·(N − 1)) / γ.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capacity.models.nonnegative import nonnegative_least_squares

FEWEST_POINTS = 4
_ITERATIONS = 200
_SETTLED = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalabilityLaw:
    """The law with its three coefficients."""

    throughput_of_one: float
    """γ."""
    contention: float
    """α."""
    coherency: float
    """β."""

    def throughput(self, concurrency: float) -> float:
        """Return X(N)."""
        others = concurrency - 1.0
        return (
            self.throughput_of_one
            * concurrency
            / (1.0 + self.contention * others + self.coherency * concurrency * others)
        )


def scalability_law(
    concurrency: Sequence[float], throughput: Sequence[float]
) -> ScalabilityLaw | None:
    """Return the law of best fit; None from too few points, or where nothing came through."""
    loads, rates = np.asarray(concurrency, dtype=float), np.asarray(throughput, dtype=float)
    if len(loads) < FEWEST_POINTS or np.any(loads <= 0.0) or np.any(rates <= 0.0):
        return None
    best = min(
        (_fitted(loads, rates, free) for free in ([0], [0, 1], [0, 2], [0, 1, 2])),
        key=lambda found: (found[0], len(found[1])),
    )
    slowness, by_contention, by_coherency = best[1]
    return ScalabilityLaw(
        throughput_of_one=1.0 / slowness,
        contention=by_contention / slowness,
        coherency=by_coherency / slowness,
    )


def _fitted(
    loads: NDArray[np.float64], rates: NDArray[np.float64], free: list[int]
) -> tuple[float, NDArray[np.float64]]:
    """Return the squared error and (1, α, β) / γ, of which only *free* may differ from 0."""
    basis = np.stack([np.ones_like(loads), loads - 1.0, loads * (loads - 1.0)], axis=1)[:, free]
    target = loads / rates
    scales = np.max(np.abs(basis), axis=0)
    matrix = basis / scales
    start = nonnegative_least_squares(matrix.T @ matrix, matrix.T @ target)
    start[0] = max(start[0], float(np.min(target)) * 1e-3)
    now, damping = start, 1e-3

    def residuals(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(rates - loads / (matrix @ values))

    error = float(np.sum(residuals(now) ** 2))
    for _ in range(_ITERATIONS):
        jacobian = (loads / (matrix @ now) ** 2)[:, None] * matrix
        gram = jacobian.T @ jacobian
        step = np.linalg.solve(
            gram + damping * np.diag(np.diag(gram)), -jacobian.T @ residuals(now)
        )
        moved = now + step
        is_inside = moved[0] > 0.0 and bool(np.all(moved >= 0.0))
        trial = float(np.sum(residuals(moved) ** 2)) if is_inside else math.inf
        if trial <= error:
            is_settled = error - trial <= _SETTLED * error
            now, error, damping = moved, trial, damping / 3.0
            if is_settled:
                break
        else:
            damping *= 4.0
    coefficients = np.zeros(3)
    coefficients[free] = now / scales
    return error, coefficients
