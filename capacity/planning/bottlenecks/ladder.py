"""
The ladder of walls: every resource's ceiling, lowest first, and what lifting each would gain.

Equal ceilings are ordered by what is cheapest to raise: nobody must be sent to buy memory where
one line of configuration would do.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from capacity.domain.plan import Wall
from capacity.domain.resource_facts import TIE_ORDER


def ladder(walls: Sequence[Wall]) -> tuple[Wall, ...]:
    """Return the walls in the order in which they are met, each with its gain."""
    ordered = sorted(walls, key=lambda w: (w.ceiling.mid, TIE_ORDER.index(w.resource)))
    gains = [
        higher.ceiling.mid - lower.ceiling.mid if math.isfinite(higher.ceiling.mid) else None
        for lower, higher in pairwise(ordered)
    ]
    return tuple(
        replace(wall, gain=gain) for wall, gain in zip(ordered, [*gains, None], strict=True)
    )
