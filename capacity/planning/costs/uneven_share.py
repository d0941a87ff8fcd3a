"""
Descriptors of processes that share the connections by chance: the fullest one is full first.

What the processes have open together tells what a connection takes; how far the fullest is above
its even share tells whether chance alone decides who gets a connection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from capacity.domain.resources import Resource
from capacity.models.sharing import connections_until_fullest, excesses, is_by_chance
from capacity.planning.costs.fitted_costs import ResourceFit
from capacity.planning.evidence.windows import Window, levels


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How the connections were shared on the plateau with most of them."""

    fullest_ratio: float
    """Of the connections, that the fullest process has."""
    is_by_chance: bool
    """A random choice for each connection explains that."""
    even: float
    """Connections that all processes hold together where each has as many."""


def shares_of(windows: Sequence[Window], limit: float, baseline: float) -> Shares | None:
    """Return the shares, None where it was not read what all processes have open together.

    *limit* and *baseline* are descriptors of one process.
    """
    processes = sharing_processes(windows)
    top = max(windows, key=lambda window: window.load.connections)
    fullest, together = top.mean.get(Resource.DESCRIPTORS), top.shared_descriptors
    if processes < 2 or fullest is None or together is None:
        return None
    taken, connections = together - processes * baseline, top.load.connections
    if taken <= 0.0 or connections <= 0.0:
        return None
    ratio = (fullest - baseline) / taken
    return Shares(
        fullest_ratio=ratio,
        is_by_chance=is_by_chance((ratio - 1.0 / processes) * connections, processes, connections),
        even=processes * (limit - baseline) * connections / taken,
    )


def sharing_processes(windows: Sequence[Window]) -> int:
    """Return how many processes shared the connections when there were most."""
    return max(windows, key=lambda window: window.load.connections).processes


def evenly_shared(windows: Sequence[Window]) -> list[Window] | None:
    """Return the windows with an even share of the descriptors in place of the fullest process's.

    None where one process has all connections, and where it was not read what all have open.
    Windows in which not all of them had begun to fill up have no reading of it.
    """
    processes = sharing_processes(windows)
    if processes < 2:
        return None
    even = [_even(window, processes) for window in windows]
    return even if levels([w for w in even if Resource.DESCRIPTORS in w.mean]) >= 2 else None


def ceilings_by_chance(
    even: ResourceFit, windows: Sequence[Window], limit: float, normals: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return where the fullest process meets *limit*, by chance of the split: one a draw.

    *even* is the fit of even shares, *windows* have the fullest process's. None where some process
    has more connections than chance would give it.
    """
    processes, baseline = sharing_processes(windows), float(even.baseline[-1])
    units = float(even.marginal[-1]) * processes
    if units <= 0.0:
        return None
    fullest = max(windows, key=lambda window: window.load.connections)
    connections = fullest.load.connections
    held = (fullest.mean[Resource.DESCRIPTORS] - baseline) / units
    if not is_by_chance(held - connections / processes, processes, connections):
        return None
    excess = excesses(processes, np.vectorize(NormalDist().cdf)(normals))
    return connections_until_fullest(limit - baseline, processes, units, excess)


def _even(window: Window, processes: int) -> Window:
    mean: Mapping[Resource, float] = {
        resource: used for resource, used in window.mean.items() if resource != Resource.DESCRIPTORS
    }
    if window.shared_descriptors is not None and window.processes == processes:
        mean = {**mean, Resource.DESCRIPTORS: window.shared_descriptors / processes}
    return replace(window, mean=mean)
