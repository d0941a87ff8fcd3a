"""Bursts of memory between samples, as the kernel's high-water marks show them."""

from collections.abc import Sequence

from capacity.models.bursts import burst_line
from capacity.planning.evidence.windows import Window

_MATTERS_RATIO = 0.005
"""Bursts below this share of the use are the scatter between two readings."""


def burst_costs(windows: Sequence[Window], use_bytes: float) -> tuple[float, float] | None:
    """Return bytes at rest and per connection that bursts take above the use, None if none grow.

    *use_bytes* is the use on the highest level.
    """
    largest: dict[int, float] = {}
    for window in windows:
        if window.burst_bytes is not None and not window.is_held_longer:
            level = window.asked_connections
            largest[level] = max(largest.get(level, 0.0), window.burst_bytes)
    line = burst_line(list(largest), list(largest.values()))
    if line is None or max(largest.values()) < _MATTERS_RATIO * use_bytes:
        return None
    return line
