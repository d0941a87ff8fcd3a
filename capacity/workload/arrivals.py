"""How new connections follow each other.

Independent clients arrive as a Poisson process: the gaps are exponential, as long on average as
evenly spaced ones, with a coefficient of variation of 1 instead of 0.
"""

import math
from typing import Literal

Arrivals = Literal["even", "poisson"]


def gap_s(arrivals: Arrivals, per_s: float, random01: float) -> float:
    """Return the time from one arrival to the next, *random01* in [0, 1)."""
    if arrivals == "even":
        return 1 / per_s
    return -math.log(1 - random01) / per_s
