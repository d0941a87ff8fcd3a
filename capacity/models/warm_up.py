"""
How much of a plateau still is warm-up: MSER.

The marginal standard error rule leaves out the first d of n batch means such that the standard error
of the rest, Σ(x − x̄)² / (n − d)², is least (White, Simulation 69, 1997; in batches of five it is
MSER-5). d is looked for in the first half, as a short rest is often even by chance; where it is the
whole of that half the series never settled, and nothing is left out.
"""

from collections.abc import Sequence

import numpy as np

FEWEST_BATCHES = 6
"""Fewer tell nothing about their beginning."""
_GAIN_RATIO = 0.5
"""The standard error must fall to that share of what it is with all: noise alone gains less."""


def warm_up_batches(means: Sequence[float]) -> int:
    """Return how many of the first batch *means* to leave out."""
    if len(means) < FEWEST_BATCHES:
        return 0
    values = np.asarray(means, dtype=float)
    errors = [
        float(np.sum((values[cut:] - values[cut:].mean()) ** 2)) / (len(values) - cut) ** 2
        for cut in range(len(values) // 2 + 1)
    ]
    best = int(np.argmin(errors))
    is_settled = best < len(errors) - 1 and errors[best] <= _GAIN_RATIO * errors[0]
    return best if is_settled else 0
