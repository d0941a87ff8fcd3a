"""
The error of a mean over time, by batch means (Conway, Management Science 10, 1963).

Readings that follow each other are not independent; the means of a few long batches nearly are. What
comes in beats (one update a second, read twice a second) is even within each batch.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

BATCHES = 4


def relative_error(readings: Sequence[tuple[float, float]]) -> float | None:
    """Return the standard error of a rate over the rate, from (count, seconds) one after the other.

    None for fewer than two readings a batch, and where nothing was counted.
    """
    timed = [(count, seconds) for count, seconds in readings if seconds > 0.0]
    if len(timed) < 2 * BATCHES:
        return None
    edges = [round(n * len(timed) / BATCHES) for n in range(BATCHES + 1)]
    rates = []
    for begin, end in pairwise(edges):
        batch = timed[begin:end]
        rates.append(sum(count for count, _ in batch) / sum(seconds for _, seconds in batch))
    mean = sum(rates) / BATCHES
    if mean <= 0.0:
        return None
    variance = sum((rate - mean) ** 2 for rate in rates) / (BATCHES - 1)
    return math.sqrt(variance / BATCHES) / mean
