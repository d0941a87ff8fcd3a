"""
How much of a plateau still is warm-up: MSER.

The marginal standard error rule leaves out the first d of n batch means such that the standard error
of the rest, Σ(x − x̄)² / (n − d)², is least (White, Simulation 69, 1997; in batches of five it is
MSER-5). A minimum in the later half says that the series never settled, or that it is all noise:
then nothing is left out.
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
        for cut in range(len(values) - 1)
    ]
    # The last few are small by chance: of two batches that happen to agree.
    best = int(np.argmin(errors[: len(values) - FEWEST_BATCHES // 2]))
    if best > len(values) // 2 or errors[best] > _GAIN_RATIO * errors[0]:
        return 0
    return best
