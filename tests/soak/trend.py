"""Is a series of readings flat? Its slope with an interval, against what an hour may bring.

Slopes are those of Theil and Sen, which peaks do not turn; the interval is that of a block bootstrap of
the residuals, as a reading resembles the one before it. A series grows where the interval lies above 0
and the slope above its allowance: memory comes in pages that are taken once and kept, so that a
staircase of few small steps has a slope that is not 0 and leads nowhere.
"""

import math
from collections import defaultdict

import numpy as np
from scipy.stats import theilslopes

WARM_UP_RATIO = 0.25
"""Allocators, caches and the agent's ring find their size."""
FEWEST = 6
BLOCK = 6
"""Readings that are drawn together: three minutes; of few readings a third."""
WINDOW_S = 120.0
"""Holds the population's high and low more than once."""
OF_OTHERS_TOO = {"pss_bytes"}
"""Shown and not judged: it grows where other processes of the host that share pages end."""
GO_UP_AND_DOWN = {"descriptors", "greenlets"}
DRAWS = 2000
CONFIDENCE = 0.95
MEBIBYTE = 1 << 20
ALLOWED_PER_HOUR = {
    "rss_bytes": 1.0 * MEBIBYTE,
    "pss_bytes": 1.0 * MEBIBYTE,
    "descriptors": 1.0,
    "threads": 0.5,
    "greenlets": 2.0,
}
"""Below these a day adds less than 24 MiB, 24 descriptors, 12 threads or 48 greenlets."""


def slope_per_hour(at_s, values, seed=1):
    """Return the slope of *values* an hour and the interval around it: (low, mid, high)."""
    hours = np.asarray(at_s, dtype=float) / 3600
    values = np.asarray(values, dtype=float)
    mid = theilslopes(values, hours).slope
    fitted = np.median(values - mid * hours) + mid * hours
    residuals = values - fitted
    if not residuals.any():
        return mid, mid, mid
    chance = np.random.default_rng(seed)
    block = min(BLOCK, len(values) // 3)
    starts = np.arange(len(values) - block + 1)
    blocks = -(-len(values) // block)
    centred = hours - hours.mean()
    slopes = []
    for _ in range(DRAWS):
        drawn = chance.choice(starts, blocks)[:, None] + np.arange(block)
        scatter = residuals[drawn.ravel()[: len(values)]]
        slopes.append(mid + (centred @ scatter) / (centred @ centred))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(slopes, [tail, 1 - tail])
    return float(min(low, mid)), float(mid), float(max(high, mid))


def series_of(readings):
    """Return (role, figure) -> (seconds, values) after the warm-up."""
    last_s = max(reading["at_s"] for reading in readings)
    series = defaultdict(lambda: ([], []))
    for reading in readings:
        if reading["at_s"] >= last_s * WARM_UP_RATIO:
            for figure in ALLOWED_PER_HOUR:
                if figure in reading:
                    at_s, values = series[reading["role"], figure]
                    at_s.append(reading["at_s"])
                    values.append(reading[figure])
    for key, (at_s, values) in series.items():
        if key[1] in GO_UP_AND_DOWN:
            series[key] = highest(at_s, values)
    return {key: found for key, found in series.items() if len(found[0]) >= FEWEST}


def highest(at_s, values):
    """Return the highest of each few minutes: what goes up and down with the population, without that."""
    most = {}
    for second, value in zip(at_s, values, strict=True):
        window = math.floor(second / WINDOW_S)
        most[window] = max(most.get(window, value), value)
    return [window * WINDOW_S for window in most], list(most.values())


def grows(figure, low, mid):
    return low > 0 and mid > ALLOWED_PER_HOUR[figure]


def grown(readings):
    """Return a sentence for each series that grows; one alone where there is nothing to judge."""
    series = series_of(readings)
    found = []
    if not series:
        return [f"unknown, as fewer than {FEWEST} readings came after the warm-up"]
    for (role, figure), (at_s, values) in series.items():
        low, mid, high = slope_per_hour(at_s, values)
        if figure not in OF_OTHERS_TOO and grows(figure, low, mid):
            found.append(f"{figure} of the {role}, by {shown(figure, low, mid, high)} an hour")
    return found


def table(readings):
    lines = [f"{'process':<12}{'figure':<14}{'first':>12}{'last':>12}  slope an hour (95 %)"]
    for (role, figure), (at_s, values) in sorted(series_of(readings).items()):
        slope = shown(figure, *slope_per_hour(at_s, values))
        first, last = (amount(figure, values[n]) for n in (0, -1))
        lines.append(f"{role:<12}{figure:<14}{first:>12}{last:>12}  {slope}")
    return "\n".join(lines)


def shown(figure, low, mid, high):
    return f"{amount(figure, mid)} ({amount(figure, low)} to {amount(figure, high)})"


def amount(figure, value):
    return f"{value / MEBIBYTE:.2f} MiB" if figure.endswith("_bytes") else f"{value:.2f}"
