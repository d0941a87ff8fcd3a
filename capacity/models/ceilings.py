"""How many connections each resource allows, taken alone: N = (L − b₀) / (b·d)."""

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-9
"""A count of 999.999 999 999 9 is a thousand."""


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
