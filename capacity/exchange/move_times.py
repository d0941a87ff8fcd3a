"""When an instrument's market moves: arrival times as a function of rate and burstiness.

Bursty arrivals are a Cox process: within each second the rate is constant, drawn from a gamma
distribution with mean m and variance v. Counts over a second then have variance m + v, so that
an index of dispersion I needs v = (I − 1)·m: shape m / (I − 1), scale I − 1.
"""

from collections.abc import Iterator
from itertools import count
from random import Random

from capacity.exchange.options import Burstiness

DISPERSION_INDEX = 15.0
"""Variance over mean of the updates in a second, as busy spot and futures feeds show it."""


def arrival_times_s(
    burstiness: Burstiness, *, rate_per_s: float, phase: float, rng: Random
) -> Iterator[float]:
    """Yield rising times in seconds from 0, for ever.

    *phase*, from 0 to 1, shifts steady arrivals within their interval; the random ones have none.
    """
    match burstiness:
        case Burstiness.STEADY:
            return ((number + phase) / rate_per_s for number in count())
        case Burstiness.POISSON:
            return _poisson_times_s(rate_per_s, rng)
        case Burstiness.BURSTY:
            return _bursty_times_s(rate_per_s, rng)


def _poisson_times_s(rate_per_s: float, rng: Random) -> Iterator[float]:
    at_s = 0.0
    while True:
        at_s += rng.expovariate(rate_per_s)
        yield at_s


def _bursty_times_s(rate_per_s: float, rng: Random) -> Iterator[float]:
    scale = DISPERSION_INDEX - 1
    for second in count():
        rate_now_per_s = rng.gammavariate(rate_per_s / scale, scale)
        # At low rates the gamma falls below what a float holds: a silent second.
        if rate_now_per_s < 1e-9:
            continue
        for at_s in _poisson_times_s(rate_now_per_s, rng):
            if at_s >= 1:
                break
            yield second + at_s
