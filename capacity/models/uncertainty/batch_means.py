"""
The error of a mean over time, by batch means (Conway, Management Science 10, 1963).

Readings that follow each other are not independent; the means of a few long batches nearly are. What
comes to all at once is counted as a whole: each batch has one more or less, which says nothing of the
rate. That part is taken out of the scatter of the batches (a uniform phase: 1/6 of a square of it for
the difference of two edges) and counted once, for the whole time.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

BATCHES = 4
_EDGES = 1.0 / 6.0


def relative_error(readings: Sequence[tuple[float, float]], at_once: float = 0.0) -> float | None:
    """Return the standard error of a rate over the rate, from (count, seconds) one after the other.

    *at_once* is what is counted at once. None for fewer than two readings a batch, and where nothing was
    counted.
    """
    timed = [(count, seconds) for count, seconds in readings if seconds > 0.0]
    if len(timed) < 2 * BATCHES:
        return None
    edges = [round(n * len(timed) / BATCHES) for n in range(BATCHES + 1)]
    batches = [timed[begin:end] for begin, end in pairwise(edges)]
    seconds = [sum(each for _, each in batch) for batch in batches]
    counts = [sum(count for count, _ in batch) for batch in batches]
    rate = sum(counts) / sum(seconds)
    if rate <= 0.0:
        return None
    squares = sum((count - rate * each) ** 2 for count, each in zip(counts, seconds, strict=True))
    scatter = max(0.0, squares / (BATCHES - 1) - _EDGES * at_once**2) * BATCHES
    return math.sqrt(scatter + _EDGES * at_once**2) / sum(counts)
