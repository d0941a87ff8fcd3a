"""
Memory that clients take while they arrive and give back soon after: replayed sessions, buffers, TLS.

use = b₀ + b·(open connections) + c·(connections opened in the last τ seconds), by least squares for each
τ of a grid, and each delay by which connections are counted later than they arrive; the least squares
win. Believed where that term halves the squares of the
line without it. The interval of c is that of the likelihood's profile over τ (Wilks, Ann. Math.
Statist. 9, 1938), and no narrower than τ can be told: half the time is twice the memory.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from capacity.domain.estimates import Estimate

SHORTEST_S, LONGEST_S, GRID_RATIO = 1.0, 10.0, 1.03
"""Of τ: samples are a second apart, and what outlasts a plateau is no arrival's. Neither end is an answer."""
DELAYS_S = tuple(n / 10.0 for n in range(-2, 11))
"""By which a connection is counted late: workers report twice a second, samples come once."""
RESOLUTION_S = 0.25
"""Of τ, from samples that are a second apart; the interval of c allows for it."""
HALVED_RATIO = 0.5
FEWEST_SAMPLES = 20
_CHI_SQUARED_90 = 2.706
_CONFIDENCE = 0.9
_STEPS = round(math.log(LONGEST_S / SHORTEST_S) / math.log(GRID_RATIO)) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalMemory:
    """What one arrival takes, in bytes, and for how long."""

    each_bytes: Estimate
    held_s: float
    kept_bytes: float
    """What an open connection keeps afterwards."""


def arrival_memory(
    times_s: Sequence[float],
    use_bytes: Sequence[float],
    points_s: Sequence[float],
    connections: Sequence[float],
) -> ArrivalMemory | None:
    """Return what arrivals hold for a while; None where nothing of that kind shows.

    *use_bytes* are read at *times_s*, *connections* are open at *points_s*, both in order of time.
    """
    if len(times_s) < FEWEST_SAMPLES or len(points_s) == 0:
        return None
    times, use = np.array(times_s), np.array(use_bytes)
    places, counts = np.array(points_s), np.array(connections)
    arrived = np.concatenate(([0.0], np.maximum(np.diff(counts), 0.0).cumsum()))
    line = np.array([np.ones_like(times), np.interp(times, places, counts)]).T
    without = _squares(line, use)[1]
    fits = []
    for held_s, delay_s in product(np.geomspace(SHORTEST_S, LONGEST_S, _STEPS), DELAYS_S):
        seen = times + delay_s
        recent = np.interp(seen, places, arrived) - np.interp(seen - held_s, places, arrived)
        found, squares = _squares(np.column_stack((line, recent)), use)
        fits.append((squares, float(held_s), float(found[-1]), float(found[1])))
    least, held_s, each, kept = min(fits)
    is_between = SHORTEST_S * GRID_RATIO < held_s < LONGEST_S / GRID_RATIO
    if each <= 0.0 or least > HALVED_RATIO * without or not is_between:
        return None
    bound = least * (1.0 + _CHI_SQUARED_90 / (len(times) - 5))
    near = [taken for squares, _, taken, _ in fits if squares <= bound]
    shorter_s = max(held_s - RESOLUTION_S, RESOLUTION_S)
    return ArrivalMemory(
        each_bytes=Estimate(
            low=min(*near, each * held_s / (held_s + RESOLUTION_S)),
            mid=each,
            high=max(*near, each * held_s / shorter_s),
            confidence=_CONFIDENCE,
        ),
        held_s=held_s,
        kept_bytes=max(0.0, kept),
    )


def _squares(
    design: NDArray[np.float64], use: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return the least-squares line and the sum of its squared misses."""
    found = np.asarray(np.linalg.lstsq(design, use, rcond=None)[0], dtype=np.float64)
    return found, float(np.square(use - design @ found).sum())
