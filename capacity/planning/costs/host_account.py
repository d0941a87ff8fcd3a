"""
What a connection takes of the host's memory, where other programs' ups and downs would hide it.

The host's use is the target's own and that of everybody else. Where a fit of the whole is no dearer
than the target's own memory explains, the own memory is what tells: to it comes what the kernel holds
for a socket, and below it lies the most that others had in use. Where the whole rises faster, something
else grows with the connections, and the whole is what counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from capacity.domain.resources import Resource
from capacity.planning.costs.fitted_costs import ResourceFit
from capacity.planning.evidence.windows import Window

KERNEL_BYTES = 8192.0
"""Of one connection: socket, inode, file, directory entry and epoll item are some 4 KB on x86-64
(/proc/slabinfo; what is queued is counted as memory of TCP)."""
DEARER_QUANTILE = 0.05
"""Of the costs that fit the whole: the own cost below it is too little."""


def by_own_account(windows: Sequence[Window]) -> list[Window] | None:
    """Return the windows with the host's use made up of others' most and the target's own.

    None where a window has not both.
    """
    both = {Resource.MEMORY, Resource.HOST_MEMORY}
    if not windows or any(both - window.mean.keys() for window in windows):
        return None
    others = max(
        window.mean[Resource.HOST_MEMORY] - _own(window.mean, window) for window in windows
    )
    return [
        replace(
            window,
            mean={**window.mean, Resource.HOST_MEMORY: others + _own(window.mean, window)},
            peak={**window.peak, Resource.HOST_MEMORY: others + _own(window.peak, window)},
            error={**window.error, Resource.HOST_MEMORY: window.error.get(Resource.MEMORY, 0.0)},
        )
        for window in windows
    ]


def is_explained(whole: ResourceFit, own: ResourceFit) -> bool:
    """Tell whether the *own* cost is not below all that the fit of the *whole* allows."""
    draws = whole.marginal[:-1] if len(whole.marginal) > 1 else whole.marginal
    return bool(np.quantile(draws, DEARER_QUANTILE) <= own.marginal[-1])


def _own(use: Mapping[Resource, float], window: Window) -> float:
    return use[Resource.MEMORY] + KERNEL_BYTES * window.load.connections
