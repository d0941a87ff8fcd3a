"""
Bursts of memory over the number of connections: burst = r₀ + r·n, both ≥ 0.

What is allocated for everybody at once (a snapshot sent to all, a round of compression) grows with
the connections, and is at its highest only for moments. High-water marks of the kernel see it, at
each level once. The line is believed where it leaves less than a third of the squared scatter that a
constant leaves: bursts that come by chance (garbage collections) do not grow along with n.
"""

from collections.abc import Sequence

import numpy as np

from capacity.models.nonnegative import nonnegative_least_squares

FEWEST_LEVELS = 3
_EXPLAINED = 1.0 / 3.0


def burst_line(connections: Sequence[float], bursts: Sequence[float]) -> tuple[float, float] | None:
    """Return r₀ and r through one burst a level, None where they do not grow with the connections."""
    if len(set(connections)) < FEWEST_LEVELS:
        return None
    counts, sizes = np.array(connections), np.array(bursts)
    design = np.column_stack([np.ones(len(counts)), counts / counts.max()])
    constant, slope = nonnegative_least_squares(design.T @ design, design.T @ sizes)
    left = float(np.sum((sizes - design @ [constant, slope]) ** 2))
    if left >= _EXPLAINED * float(np.sum((sizes - sizes.mean()) ** 2)):
        return None
    return float(constant), float(slope / counts.max())
