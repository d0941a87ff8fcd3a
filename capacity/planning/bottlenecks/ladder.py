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
from capacity.domain.resources import Resource

TIE_ORDER = (
    Resource.APPLICATION_CONNECTIONS,
    Resource.UNIDENTIFIED,
    Resource.DESCRIPTORS,
    Resource.THREADS,
    Resource.USER_PROCESSES,
    Resource.FILE_TABLE,
    Resource.CONNTRACK,
    Resource.OUTGOING_PORTS,
    Resource.EPOLL_WATCHES,
    Resource.MEMORY_MAPS,
    Resource.ADDRESS_SPACE,
    Resource.DATA_SEGMENT,
    Resource.HEAP,
    Resource.TCP_MEMORY,
    Resource.EVENT_LOOP,
    Resource.MEMORY,
    Resource.HOST_MEMORY,
    Resource.CPU,
    Resource.NETWORK_OUT,
    Resource.DELIVERY_DELAY,
    Resource.REQUEST_LATENCY,
    Resource.HANDSHAKE_TIME,
)
"""From a line in the application's configuration to a bigger machine."""


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
