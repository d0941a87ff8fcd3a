"""Where the instances for a demand come from: the demand, each host type's limits, the arithmetic."""

from capacity.domain import units
from capacity.domain.answers.sizing import Demand, HostWall, SizedHost, Sizing
from capacity.domain.plan import CapacityPlan
from capacity.domain.units import MONTH_S
from capacity.domain.words import RESOURCES
from capacity.planning.advice.other_hosts import joint_ratio, lowest_bound, use_at
from capacity.reporting.advice.sizing import price
from capacity.reporting.document import Row, Section, Table, cells

MOST_LIMITS = 2
"""Limits shown of each host type; plan.json has all of them."""
DIGITS = 5


def sizing_proof(plan: CapacityPlan, sizing: Sizing, demand: Demand) -> tuple[Section, ...]:
    """Return demand, limits and arithmetic of every host type that can carry the demand."""
    rows = tuple(_limit(host, wall) for host in sizing.hosts for wall in host.walls[:MOST_LIMITS])
    return (
        Section(anchor="demand", heading="Demand", paragraphs=demand_lines(sizing, demand)),
        Section(
            anchor="host-limits",
            heading=f"The {MOST_LIMITS} lowest limits of each host type",
            table=Table(
                columns=(
                    "Host type",
                    "Resource",
                    "Limit",
                    "From",
                    "Idle",
                    "Per connection",
                    "Meets",
                ),
                rows=rows,
                numeric=frozenset({2, 4, 5, 6}),
            ),
        ),
        Section(
            anchor="arithmetic",
            heading="Arithmetic",
            paragraphs=(
                *_safe_rule(plan),
                *(line for host in sizing.hosts for line in _host(plan, sizing, demand, host)),
                *(f"{name}: none. {why.reason}" for name, why in sizing.unsized.items()),
            ),
        ),
    )


def demand_lines(sizing: Sizing, demand: Demand) -> tuple[str, ...]:
    """Return how the connections to size for follow from the demand file."""
    high, growth = sizing.connections.high, demand.growth_per_month
    if growth is None or demand.size_for_at is None:
        return (f"{units.count(high)} connections, as the demand {demand.name} gives them",)
    months = (demand.size_for_at - demand.as_of_at) / MONTH_S
    return (
        (
            f"{units.count(demand.connections)} × (1 + {growth.high:.4g})^{months:.4g} months ="
            f" {units.count(high)} connections: the upper end of the growth"
            f" ({growth.low:.4g} to {growth.high:.4g} a month, middle {growth.mid:.4g})"
        ),
    )


def _limit(host: SizedHost, wall: HostWall) -> Row:
    resource = wall.resource
    return cells(
        host.host,
        RESOURCES[resource],
        units.amount(wall.limit, resource),
        wall.origin,
        units.amount(wall.baseline, resource),
        units.amount(wall.marginal, resource),
        units.count(wall.ceiling),
    )


def _safe_rule(plan: CapacityPlan) -> tuple[str, ...]:
    return (
        (
            f"safe capacity: the one-sided 95 % bound of the lowest limit, times"
            f" {units.number(joint_ratio(plan), DIGITS)} (as the plan's {units.count(plan.safe_capacity)}"
            " stands to that bound of its own limits), at most the lowest limit"
        ),
    )


def _host(plan: CapacityPlan, sizing: Sizing, demand: Demand, host: SizedHost) -> tuple[str, ...]:
    connections, first = sizing.connections.high, host.walls[0]
    kept = 1.0 - demand.headroom_ratio
    scaled = joint_ratio(plan) * lowest_bound(host.walls)
    zones_left = demand.zones - demand.lost_zones
    lines = [
        (
            f"{host.host}: ⌊min({units.number(scaled, DIGITS)}, {units.number(first.ceiling, DIGITS)})⌋ ="
            f" {units.count(host.safe_connections)} safe;"
            f" ⌊{units.count(host.safe_connections)} × {kept:.4g}⌋ ="
            f" {units.count(host.usable_connections)} usable"
        ),
        (
            f"{host.host}: {units.counted(demand.zones, 'zone')} ×"
            f" ⌈(⌈{units.count(connections)} / {units.count(host.usable_connections)}⌉ +"
            f" {demand.lost_instances} lost) / {zones_left} left⌉ ="
            f" {units.counted(host.instances, 'instance')}, {units.count(host.survivors)} after the loss"
        ),
        _utilization(host, first, connections, host.instances, "at peak"),
    ]
    if host.lost:
        lines.append(_utilization(host, first, connections, host.survivors, "after loss"))
    if host.price_per_month is not None:
        each = host.price_per_month / host.instances
        lines.append(
            f"{host.host}: {units.count(host.instances)} × {price(each, host.currency)} ="
            f" {price(host.price_per_month, host.currency)} per month"
        )
    return tuple(lines)


def _utilization(
    host: SizedHost, first: HostWall, connections: float, instances: int, when: str
) -> str:
    each = connections / instances
    return (
        f"{host.host} {when}: {units.count(connections)} / {units.count(instances)} ="
        f" {units.number(each, DIGITS)} connections; {RESOURCES[first.resource]}:"
        f" {units.amount(use_at(first, each), first.resource)} of"
        f" {units.amount(first.limit, first.resource)} ="
        f" {units.share(use_at(first, each) / first.limit)}"
    )
