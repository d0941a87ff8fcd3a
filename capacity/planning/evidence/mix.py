"""
The mix: the load that comes with one connection, and that the capacity is quoted for.

The steps that offer the profile's full mix and held it, weighted by their connections. A plan for
another load, such as idle connections, would not be the answer to what was asked.
"""

from collections.abc import Sequence
from dataclasses import replace

from capacity.domain.load import LoadVector
from capacity.domain.observation import StepObservation
from capacity.planning.evidence.windows import Window, is_usable


def measured_mix(steps: Sequence[StepObservation]) -> LoadVector | None:
    """Return the load per connection, None if no usable step carried the full mix.

    Of less than one connection on average nothing was carried: they were lost as they came.
    """
    full = [
        (step.step, step.load)
        for step in sorted(steps, key=lambda step: step.index)
        if step.step.is_mix and is_usable(step)
        if step.load is not None and step.load.connections >= 1.0
    ]
    if not full:
        return None
    loads = [load for _, load in full]
    mix = LoadVector(
        connections=sum(load.connections for load in loads),
        deliveries_per_s=sum(load.deliveries_per_s for load in loads),
        delivered_bytes_per_s=sum(load.delivered_bytes_per_s for load in loads),
        requests_per_s=sum(load.requests_per_s for load in loads),
        handshakes_per_s=sum(load.handshakes_per_s for load in loads),
        orders_per_s=sum(load.orders_per_s for load in loads),
    ).per_connection()
    return replace(mix, slow_readers_ratio=max(step.slow_readers_ratio for step, _ in full))


def widest_mix(windows: Sequence[Window]) -> LoadVector:
    """Return of each part the most per connection on any plateau; one must have connections."""
    mixes = [w.load.per_connection() for w in windows if w.load.connections > 0.0]
    return LoadVector(
        connections=1.0,
        deliveries_per_s=max(mix.deliveries_per_s for mix in mixes),
        delivered_bytes_per_s=max(mix.delivered_bytes_per_s for mix in mixes),
        requests_per_s=max(mix.requests_per_s for mix in mixes),
        handshakes_per_s=max(mix.handshakes_per_s for mix in mixes),
    )
