"""
At how many connections a latency percentile meets its limit, from steps far below it.

A burst to N subscribers is served one after the other, so the leading term of the delay is a line
through N; queueing bends it near the limit, but curvature read at low load misleads more than it
helps. The forecast is the median of six linear ones, which err in different directions:

1. least squares   2. Theil–Sen   3. relative, non-negative         lines through the percentile
4. proportional    tail = k·N with k the median of tail / N
5. tail ratio      the median's line, times the median of tail / median
6. tail line       the median's line plus a line through tail − median

What such a forecast misses by is learned and corrected in latency/misses.py.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capacity.models.latency.misses import SCATTERED, Miss, miss_at
from capacity.models.lines import Line, least_squares_line, relative_line, theil_sen_line

FEWEST_LEVELS = 3
"""Of loads: through two any line passes, and nothing tells how well."""


def connections_at_latency(
    connections: Sequence[float],
    medians_s: Sequence[float],
    tails_s: Sequence[float],
    limit_s: float,
) -> float:
    """Return the uncorrected forecast; ∞ where the tail does not grow with the connections.

    One entry a step, all with connections > 0.
    """
    loads, medians, tails = (np.asarray(v, dtype=float) for v in (connections, medians_s, tails_s))
    middle = relative_line(loads, medians)
    over_median = float(np.median(tails / np.maximum(medians, np.finfo(float).tiny)))
    beyond = relative_line(loads, np.maximum(tails - medians, 0.0))
    lines: list[Line] = [
        least_squares_line(loads, tails),
        theil_sen_line(loads, tails),
        relative_line(loads, tails),
        (0.0, float(np.median(tails / loads))),
        (over_median * middle[0], over_median * middle[1]),
        (middle[0] + beyond[0], middle[1] + beyond[1]),
    ]
    return _median([_crossing(line, limit_s) for line in lines])


def scatter_around_line(connections: Sequence[float], tails_s: Sequence[float]) -> float:
    """Return the standard deviation of the percentiles around their line, relative to it."""
    loads, tails = np.asarray(connections, dtype=float), np.asarray(tails_s, dtype=float)
    intercept, slope = relative_line(loads, tails)
    line = np.maximum(intercept + slope * loads, np.finfo(float).tiny)
    return float(np.sqrt(np.sum((tails / line - 1.0) ** 2) / max(len(loads) - 2, 1)))


def corrected(forecast: float, highest: float, misses: Sequence[Miss] = SCATTERED) -> float:
    """Return *forecast* without the bias that forecasts of its reach were found to have."""
    return forecast * math.exp(miss_at(forecast / highest, misses).log_bias)


def within_what_was_seen(
    forecast: NDArray[np.float64],
    connections: Sequence[float],
    tails_s: Sequence[float],
    limit_s: float,
) -> NDArray[np.float64]:
    """Return *forecast* between the most connections that kept the limit and the next that did not.

    A load that was measured needs no forecast; where steps of one load disagree it did not hold.
    """
    failing = min(
        (load for load, tail in zip(connections, tails_s, strict=True) if tail > limit_s),
        default=math.inf,
    )
    passing = max((load for load in connections if load < failing), default=0.0)
    return np.clip(forecast, passing, failing)


def _crossing(line: Line, limit_s: float) -> float:
    intercept, slope = line
    return max(limit_s - intercept, 0.0) / slope if slope > 0.0 else math.inf


def _median(values: Sequence[float]) -> float:
    """Return the median; that of two infinities is infinite and not their difference's NaN."""
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if low == high else (low + high) / 2.0
