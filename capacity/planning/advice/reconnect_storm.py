"""
Does the target recover when everybody reconnects at once, and how wide must the window be?

Two events: the loss that policy prepares for, whose clients come back to the survivors, and a
restart of the whole target, whose clients come back to all instances. Arrivals are charged at the
upper end of their cost and fit in beside the load as it is once everybody is back, that too at the
upper end of its cost.
"""

from bisect import bisect_left
from collections.abc import Sequence

from capacity.domain.answers.sizing import (
    ArrivalCost,
    Demand,
    HostWall,
    SizedHost,
    Sizing,
    Storm,
    StormCase,
    Unanswered,
)
from capacity.domain.resources import Resource
from capacity.models.operations.reconnect_storm import (
    BUSY_RATIO,
    arrivals_after_loss,
    is_metastable,
    served_per_s,
    shortest_window_s,
)
from capacity.models.operations.redundancy import survivors
from capacity.planning.advice.other_hosts import cautious_use_at
from capacity.planning.advice.sizing import losses

_MOST_TIMES = 100
"""Instances are looked for up to this many times those of the sizing."""


def storm(
    sizing: Sizing | Unanswered, cost: ArrivalCost | Unanswered, demand: Demand
) -> Storm | Unanswered:
    """Return what a mass reconnect does to the sized instances."""
    if isinstance(sizing, Unanswered):
        return sizing
    if isinstance(cost, Unanswered):
        return cost
    host = sized_for(sizing, demand)
    if host is None:
        return Unanswered(
            reason=f"None of {len(sizing.unsized)} host types can carry the workload.",
            remedy="Add a larger host type to the catalogue.",
        )
    connections = sizing.connections.high
    cases = []
    if host.lost:
        event = "planned-for loss of instances"
        cases.append(_case(host, cost, demand, connections, event=event, left=host.survivors))
    event = "restart of the whole target"
    cases.append(_case(host, cost, demand, connections, event=event, left=None))
    return Storm(
        host=host.host,
        instances=host.instances,
        retry=demand.retry.policy,
        cases=tuple(cases),
        window_s=demand.reconnect_window_s,
        instances_for_window=_instances_for_window(host, cost, demand, connections),
    )


def sized_for(sizing: Sizing, demand: Demand) -> SizedHost | None:
    """Return the host type that the demand names, else the cheapest one."""
    named = [host for host in sizing.hosts if host.host == demand.host]
    return next(iter([*named, *sizing.hosts]), None)


def _case(
    host: SizedHost,
    cost: ArrivalCost,
    demand: Demand,
    connections: float,
    *,
    event: str,
    left: int | None,
) -> StormCase:
    up = host.instances if left is None else left
    after = connections / up
    arrivals = after if left is None else arrivals_after_loss(connections, host.instances, left)
    busiest, served = _served(host.walls, cost, after)
    window_s = shortest_window_s(arrivals, served)
    spread_s, wait_s = spread_and_wait_s(demand)
    return StormCase(
        event=event,
        instances_up=up,
        arrivals=arrivals,
        connections_after=after,
        busiest=busiest,
        served_per_s=served,
        shortest_window_s=window_s,
        arrivals_per_s=None if window_s is None else BUSY_RATIO * served,
        overflows=None if cost.backlog is None else arrivals > cost.backlog,
        is_metastable=is_metastable(
            arrivals,
            served,
            timeout_s=demand.handshake_timeout_s,
            wait_s=wait_s,
            spread_s=spread_s,
        ),
    )


def _served(
    walls: Sequence[HostWall], cost: ArrivalCost, connections: float
) -> tuple[Resource | None, float]:
    """Return the handshakes a second that fit beside *connections*, and what they run out of.

    None where they run out of the rate of admission, declared or met at its lower end.
    """
    served, resource = min(connect_rates(walls, cost, connections), key=lambda rate: rate[0])
    return resource, served


def connect_rates(
    walls: Sequence[HostWall], cost: ArrivalCost, connections: float
) -> list[tuple[float, Resource | None]]:
    """Return the handshakes a second that each resource alone, and admission, would serve."""
    rates: list[tuple[float, Resource | None]] = [
        (served_per_s(wall.limit - cautious_use_at(wall, connections), taken.high), wall.resource)
        for wall in walls
        if (taken := cost.cpu_s.get(wall.resource)) is not None and taken.high > 0.0
    ]
    if cost.admitted_per_s is not None:
        rates.append((cost.admitted_per_s, None))
    if cost.admission_per_s is not None:
        rates.append((cost.admission_per_s.low, None))
    return rates


def spread_and_wait_s(demand: Demand) -> tuple[float, float]:
    """Return the time over which clients dial first, and their mean wait before a late attempt."""
    first, last = demand.retry.waits_s[0], demand.retry.waits_s[-1]
    return demand.reconnect_window_s or first[1] - first[0], sum(last) / 2.0


def window_with_s(
    instances: int, host: SizedHost, cost: ArrivalCost, demand: Demand, connections: float
) -> float | None:
    """Return the shortest window after the loss that policy prepares for, of *instances*."""
    left = survivors(instances, **losses(demand))
    _, served = _served(host.walls, cost, connections / left)
    return shortest_window_s(arrivals_after_loss(connections, instances, left), served)


def _instances_for_window(
    host: SizedHost, cost: ArrivalCost, demand: Demand, connections: float
) -> int | None:
    window_s = demand.reconnect_window_s
    if window_s is None or not host.lost:
        return None
    zones = demand.zones

    def is_enough(instances: int) -> bool:
        needed_s = window_with_s(instances, host, cost, demand, connections)
        return needed_s is not None and needed_s <= window_s

    # More instances never need a wider window.
    choices = range(host.instances, host.instances * _MOST_TIMES + zones, zones)
    place = bisect_left(choices, True, key=is_enough)
    return choices[place] if place < len(choices) else None
