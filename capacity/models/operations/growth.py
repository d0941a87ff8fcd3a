"""
Growth of demand, and when it meets a capacity.

D(t) = D₀·(1 + g)ᵗ with t in months, so demand meets C at t = ln(C / D₀) / ln(1 + g). Neither C nor
g is known exactly: t is taken over a grid of equally likely values of both, which are held to be
independent and normal (C by its logarithm), each side of the middle with a width of its own.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from capacity.domain.estimates import Estimate

_GRID = 199


def demand_after(connections: float, growth_per_month: Estimate, months: float) -> Estimate:
    """Return D(t), whose interval is that of the growth; before t = 0 it runs backwards."""
    ends = [
        connections * (1.0 + growth) ** months
        for growth in (growth_per_month.low, growth_per_month.mid, growth_per_month.high)
    ]
    return Estimate(
        low=min(ends), mid=ends[1], high=max(ends), confidence=growth_per_month.confidence
    )


def months_until_exhausted(
    connections: float,
    capacity: Estimate,
    growth_per_month: Estimate,
    probabilities: Sequence[float],
) -> list[float]:
    """Return for each probability the t before which D meets C with it: 0 if D does already,

    ∞ if it never does.
    """
    room = _logarithms(capacity) - math.log(connections)
    rate = np.log1p(np.maximum(_values(growth_per_month), 0.0))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        months = room[:, None] / rate[None, :]
    months = np.where(room[:, None] <= 0.0, 0.0, months)
    return [float(np.quantile(months, p, method="higher")) for p in probabilities]


def _logarithms(estimate: Estimate) -> NDArray[np.float64]:
    """Return equally likely values of ln *estimate*; what is below a billionth counts as that."""
    low, mid, high = (
        math.log(max(value, 1e-9)) for value in (estimate.low, estimate.mid, estimate.high)
    )
    return _values(Estimate(low=low, mid=mid, high=high, confidence=estimate.confidence))


def _values(estimate: Estimate) -> NDArray[np.float64]:
    """Return equally likely values of *estimate*."""
    if estimate.low == estimate.high:
        return np.array([estimate.mid])
    reach = NormalDist().inv_cdf((1.0 + estimate.confidence) / 2.0)
    normals = np.array([NormalDist().inv_cdf((rank + 0.5) / _GRID) for rank in range(_GRID)])
    below, above = (estimate.mid - estimate.low) / reach, (estimate.high - estimate.mid) / reach
    return np.asarray(estimate.mid + normals * np.where(normals < 0.0, below, above))
