"""How new connections follow each other.

Independent clients arrive as a Poisson process: the gaps are exponential, as long on average as
evenly spaced ones, with a coefficient of variation of 1 instead of 0. After an outage they come
together, and a server that finds many waiting serves each for less.
"""

import math
from typing import Literal

Arrivals = Literal["even", "poisson", "together"]


def gap_s(arrivals: Arrivals, per_s: float, random01: float) -> float:
    """Return the time from one turn to the next, *random01* in [0, 1)."""
    if arrivals == "poisson":
        return -math.log(1 - random01) / per_s
    return 1 / per_s


def longest_gap_s(arrivals: Arrivals, per_s: float) -> float:
    """Return the time from one arrival to the next that is hardly ever exceeded (1 of 150, where chance rules)."""
    if arrivals == "together":
        return max(1.0, 1 / per_s)
    return (5.0 if arrivals == "poisson" else 1.0) / per_s


def opens_at_s(arrivals: Arrivals, turn_s: float) -> float:
    """Return when who has the turn at *turn_s* may come: together, all of a second at its start."""
    return math.floor(turn_s) if arrivals == "together" else turn_s
