"""
Resampling of rows that stand for themselves, such as the ramps between two plateaus; what a plan's
costs scatter by is in wild_bootstrap.py.

Bayesian bootstrap (Rubin, Ann. Stat. 9, 1981) in two stages: each step draws an exponential
weight, and each window within it another. Windows of one step share their errors, so that steps
must vary too; and unlike drawing with replacement no level ever vanishes from a sample of four.
The product of the two is somewhat wide rather than narrow, which suits few steps.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capacity.domain.estimates import Estimate

REPLICATES = 300
SEED = 20_240_229
"""Fixed: the same run gives the same plan."""


def window_weights(
    steps: Sequence[int], generator: np.random.Generator, *, replicates: int = REPLICATES
) -> NDArray[np.float64]:
    """Return the weight of every window in every replicate, (replicates, windows)."""
    different, members = np.unique(np.asarray(steps), return_inverse=True)
    by_step = generator.standard_exponential((replicates, len(different)))
    by_window = generator.standard_exponential((replicates, len(steps)))
    return by_step[:, members] * by_window


def widened(
    replicates: NDArray[np.float64], forecast: NDArray[np.float64], rows: int, columns: int
) -> NDArray[np.float64]:
    """Return the replicates moved away from *forecast* by √(n / (n − p)), costs kept ≥ 0.

    Residuals of a fit of p costs to n windows are too small by that factor, and so would be the
    scatter of the replicates. Without a window to spare it is taken as if there were one.
    """
    factor = np.sqrt(rows / max(rows - columns, 1))
    return np.asarray(np.maximum(forecast + factor * (replicates - forecast), 0.0))


def spread_quantiles(
    values: NDArray[np.float64], confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the two-sided bounds over the first axis; outward ones, so never between ∞ and ∞."""
    tail = (1.0 - confidence) / 2.0
    low = np.quantile(values, tail, axis=0, method="lower")
    high = np.quantile(values, 1.0 - tail, axis=0, method="higher")
    return np.asarray(low), np.asarray(high)


def interval_around(mid: float, values: NDArray[np.float64], confidence: float) -> Estimate:
    """Return the two-sided interval of *values* around the forecast *mid*, which lies in it."""
    low, high = spread_quantiles(values, confidence)
    return Estimate.around(mid, float(low), float(high), confidence)
