"""
What connections take only after a while: garbage up to the next collection, buffers that fill.

The plateaus of the levels are equally long, so that their line is that of memory as far as it has
settled by then. A run whose memory still rose there holds the highest mix on (safety/hold.py): what it
then reaches above that line is charged to each connection. A runtime that collects when its heap has
doubled does so after as many seconds at ten times the connections, garbage coming ten times as fast.
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
    reached = max(w.mean[resource] for w in held if w.asked_connections == connections)
    return max(0.0, reached - before) / connections
