"""
Ceilings: how many connections each resource allows, taken alone, and the lowest of several.

Alone: N = (L − b₀) / (b·d). Together, ceilings err independently and log-normally: P(min < q) =
1 − Π (1 − Φ((ln q − ln Nₖ) / σₖ)). The bound is therefore lower than that of the lowest wall alone
when others stand close to it.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-9
"""A count of 999.999 999 999 9 is a thousand."""
_FARTHEST = 3.5
"""Standard deviations beyond which a wall does not count: 1 in 4,000, against a tail of 1 in 20."""
_STEPS = 60


def connections_at_limit(
    limit: float, baseline: NDArray[np.float64], marginal: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return N where baseline + marginal·N meets *limit*: never below 0, ∞ for a free connection."""
    room = np.maximum(limit - baseline, 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(marginal > 0.0, room / marginal, np.inf)


def whole_connections(connections: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the last whole connection that fits: what a counted resource allows."""
    return np.floor(connections * (1.0 + _ROUNDING))


def lowest_at_confidence(
    ceilings: Sequence[float], sigmas: Sequence[float], confidence: float
) -> float:
    """Return the q that the lowest ceiling exceeds with probability *confidence*, one-sided.

    With all σ = 0 it is the lowest ceiling. A raised ceiling never lowers it, provided that its σ
    grows by less than 1 / 3.5 per unit of ln N.
    """
    most = min(ceilings)
    if most <= 0.0:
        return 0.0
    exact = [ceiling for ceiling, sigma in zip(ceilings, sigmas, strict=True) if sigma == 0.0]
    top = math.log(min(exact, default=most))
    bottom = math.log(most) - _FARTHEST * max(sigmas)
    for _ in range(_STEPS):
        middle = (bottom + top) / 2.0
        if _chance_below(middle, ceilings, sigmas) < 1.0 - confidence:
            bottom = middle
        else:
            top = middle
    return math.exp(top)


def _chance_below(
    log_connections: float, ceilings: Sequence[float], sigmas: Sequence[float]
) -> float:
    above = 1.0
    for ceiling, sigma in zip(ceilings, sigmas, strict=True):
        if sigma > 0.0:
            deviations = (log_connections - math.log(ceiling)) / sigma
            if deviations > -_FARTHEST:
                above *= 1.0 - NormalDist().cdf(deviations)
    return 1.0 - above
