"""
What connections take only after a while: garbage up to the next collection, buffers that fill.

The plateaus of the levels are equally long, so that their line is that of memory as far as it has
settled by then. A run whose memory still rose there holds the highest mix on (safety/hold.py): what it
then reaches above that line is charged to each connection. A runtime that collects when its heap has
doubled does so after as many seconds at ten times the connections, garbage coming ten times as fast.

A limited cgroup is charged for files as well, and pages of them that are used anew are counted at once
(a large program's own): what its use rose by meanwhile and neither the processes nor their sockets took is
no cost of a connection.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capacity.domain.resources import Resource
from capacity.planning.evidence.windows import Window


def settling_cost(
    resource: Resource,
    windows: Sequence[Window],
    steps: Sequence[int],
    line: NDArray[np.float64],
) -> float:
    """Return the bytes per connection that memory reached above its *line* while a load was held on.

    The line has the fitted use of a row of each of *steps*; 0 where nothing was held on. Of a runtime's
    own heap garbage takes no room, as it is collected before the cap ends the process, and of the
    host's memory others take what they like meanwhile.
    """
    held = [window for window in windows if window.is_held_longer and resource in window.mean]
    if resource is not Resource.MEMORY or not held:
        return 0.0
    connections = max(window.asked_connections for window in held)
    loads = {window.step: window for window in windows if not window.is_held_longer}
    at_level = [
        (loads[step].load.deliveries_per_s, float(use))
        for step, use in zip(steps, line, strict=True)
        if loads[step].asked_connections == connections
    ]
    if not at_level or not connections:
        return 0.0
    before = max(at_level)[1]
    tops = [w for w in windows if w.asked_connections == connections and resource in w.mean]
    reached = max(tops, key=lambda window: (window.is_held_longer, window.mean[resource]))
    late = reached.mean[resource] - before - _of_files(reached, tops)
    return max(0.0, late) / connections


def _of_files(reached: Window, tops: Sequence[Window]) -> float:
    """Return by how many bytes more the use rose until *reached* than processes and sockets did.

    0 where nobody read these.
    """
    earlier = [w for w in tops if not w.is_held_longer and w.resident_bytes is not None]
    if not earlier or reached.resident_bytes is None:
        return 0.0
    last = max(earlier, key=lambda window: window.mean[Resource.MEMORY])
    return max(0.0, _files_and_kernel(reached) - _files_and_kernel(last))


def _files_and_kernel(window: Window) -> float:
    taken = (window.resident_bytes or 0.0) + window.mean.get(Resource.TCP_MEMORY, 0.0)
    return window.mean[Resource.MEMORY] - taken
