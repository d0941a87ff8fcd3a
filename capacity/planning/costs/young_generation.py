"""
Garbage that a runtime lets come together before it collects any: a share of a small load's memory.

V8 fills two semi-spaces of 16 MiB (Heap::DefaultMaxSemiSpaceSize), Ruby allocates up to 32 MiB before it
collects (GC_MALLOC_LIMIT_MAX of gc.c). That fills with the first connections and then no more, so that a
line through a load which added as little is too steep, and no reading from outside tells by how much.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from capacity.domain.resources import Resource
from capacity.domain.sample import AgentInfo
from capacity.planning.costs.fitted_costs import ResourceFit

_MIB = 1 << 20
_GARBAGE_BYTES: Mapping[str, int] = {
    "node": 32 * _MIB,
    "deno": 32 * _MIB,
    "ruby": 32 * _MIB,
    "puma": 32 * _MIB,
}
"""By how the name of a program begins: ruby3.1, puma: cluster worker."""
_MOST_RATIO = 0.5
"""Of what a load added to the memory, that may be garbage which comes once."""
_EVERY = 4
"""Every so manieth replicate takes it as that; those of a stair begin elsewhere."""
HELD_IN = frozenset({Resource.MEMORY, Resource.HEAP})


def garbage_bytes(agent: AgentInfo | None) -> int:
    """Return how much of it the target's runtime lets come together; 0 where that is not known."""
    name = "" if agent is None else agent.target_name
    return next((size for known, size in _GARBAGE_BYTES.items() if name.startswith(known)), 0)


def garbage_ratio(garbage: float, added_bytes: float) -> float:
    """Return which share at most of *added_bytes* of a load is garbage that comes once."""
    return min(_MOST_RATIO, garbage / added_bytes) if added_bytes > 0.0 else 0.0


def may_come_once(
    resource: Resource, fit: ResourceFit, garbage: float, connections: float
) -> ResourceFit:
    """Return the fit of memory with a share of its replicates in which garbage of the load at

    *connections* belongs to the baseline; the fit itself stays. Their line meets the same use there.
    """
    if resource not in HELD_IN or not garbage or not connections:
        return fit
    baseline, marginal = fit.baseline.copy(), fit.marginal.copy()
    taken = np.arange(1, len(marginal) - 1, _EVERY)
    once = np.minimum(_MOST_RATIO * marginal[taken] * connections, garbage)
    baseline[taken] += once
    marginal[taken] -= once / connections
    return replace(fit, baseline=baseline, marginal=marginal)
