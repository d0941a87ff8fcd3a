"""From a plan and a demand to instances: on each host type of a catalogue, or as tested."""

import math
from collections.abc import Mapping, Sequence

from capacity.domain import units
from capacity.domain.answers.sizing import Demand, HostType, HostWall, SizedHost, Sizing, Unanswered
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import CapacityPlan
from capacity.domain.units import MONTH_S
from capacity.domain.words import RESOURCES
from capacity.models.operations.growth import demand_after
from capacity.models.operations.redundancy import instances_for_demand, survivors
from capacity.planning.advice.other_hosts import (
    host_walls,
    mix_for,
    safe_connections,
    use_at,
    why_not_transferable,
)

AS_TESTED = "as tested"


def sized(plan: CapacityPlan, demand: Demand, hosts: Sequence[HostType]) -> Sizing | Unanswered:
    """Return the instances that *demand* takes of each host type; without types, as tested."""
    mix = mix_for(plan, demand.deliveries_per_s, demand.requests_per_s)
    refusal = why_not_transferable(plan, mix)
    if refusal is not None:
        return refusal
    connections = demand_when_needed(demand)
    found: list[SizedHost] = []
    unsized: dict[str, Unanswered] = {}
    types: Sequence[HostType | None] = hosts or [None]
    for host in types:
        answer = _sized_host(plan, demand, mix, connections.high, host)
        if isinstance(answer, Unanswered):
            unsized[name_of(host)] = answer
        else:
            found.append(answer)
    if not found and not hosts:
        return unsized[AS_TESTED]
    found.sort(key=_dearness)
    is_priced = bool(found) and found[0].price_per_month is not None
    return Sizing(
        demand=demand.name,
        connections=connections,
        at=demand.as_of_at if demand.size_for_at is None else demand.size_for_at,
        mix=mix,
        hosts=tuple(found),
        unsized=unsized,
        cheapest=found[0].host if is_priced else None,
    )


def demand_when_needed(demand: Demand) -> Estimate:
    """Return the connections at the time sized for, with the uncertainty of their growth."""
    if demand.size_for_at is None or demand.growth_per_month is None:
        return Estimate.exactly(demand.connections)
    months = (demand.size_for_at - demand.as_of_at) / MONTH_S
    return demand_after(demand.connections, demand.growth_per_month, months)


def name_of(host: HostType | None) -> str:
    return AS_TESTED if host is None else host.name


def usable_connections(plan: CapacityPlan, walls: tuple[HostWall, ...], demand: Demand) -> int:
    """Return what policy lets one instance carry."""
    return math.floor(safe_connections(plan, walls) * (1.0 - demand.headroom_ratio) + 1e-9)


def _sized_host(
    plan: CapacityPlan,
    demand: Demand,
    mix: LoadVector,
    connections: float,
    host: HostType | None,
) -> SizedHost | Unanswered:
    walls = host_walls(plan, mix, host)
    if math.isinf(walls[0].ceiling):
        return Unanswered(
            reason=f"None of {len(walls)} resources has a measurable cost for the demand's workload.",
            remedy="Measure with the workload of the demand.",
        )
    safe = safe_connections(plan, walls)
    usable = usable_connections(plan, walls, demand)
    if usable < 1:
        return _too_small(walls[0], safe, demand)
    instances = instances_for_demand(connections, usable, **losses(demand))
    left = survivors(instances, **losses(demand))
    peak, after = connections / instances, connections / left
    first = walls[0]
    return SizedHost(
        host=name_of(host),
        safe_connections=safe,
        usable_connections=usable,
        binding=first.resource,
        instances=instances,
        survivors=left,
        connections_at_peak=peak,
        utilization_at_peak=use_at(first, peak) / first.limit,
        connections_after_loss=after,
        utilization_after_loss=use_at(first, after) / first.limit,
        price_per_month=None
        if host is None or host.price_per_month is None
        else host.price_per_month * instances,
        currency="" if host is None else host.currency,
        walls=walls,
    )


def losses(demand: Demand) -> Mapping[str, int]:
    return {
        "lost_instances": demand.lost_instances,
        "zones": demand.zones,
        "lost_zones": demand.lost_zones,
    }


def _too_small(first: HostWall, safe: int, demand: Demand) -> Unanswered:
    resource = first.resource
    return Unanswered(
        reason=(
            f"Too small: the safe capacity is {units.counted(safe, 'connection')}, and after"
            f" {units.share(demand.headroom_ratio)} headroom none is left. Idle, the target uses"
            f" {units.amount(first.baseline, resource)} of {units.amount(first.limit, resource)}"
            f" ({RESOURCES[resource]})."
        ),
        remedy="Use a larger host type, or test closer to the capacity: that raises the safe capacity.",
    )


def _dearness(host: SizedHost) -> tuple[bool, float, int, float]:
    price = host.price_per_month
    return price is None, price or 0.0, host.instances, host.utilization_at_peak
