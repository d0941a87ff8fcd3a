"""
The walls of a plan on another host type, or for another mix.

How limits follow the host: CPU its cores and their speed, the event loop the speed alone, memory the
memory that the type gives to an instance, the network its bandwidth; every other limit is taken as
measured, or as the type says. More cores than were tested count only where a reading of the event
loop tells how far the target uses them.

A ceiling keeps the scatter of its fit, and gets the model-form error of the distance to which it is
extrapolated now (models/uncertainty/intervals.py). With more of a part of the load per connection than any
plateau carried, that part is extrapolated as many times further; beyond FARTHEST_MIX_RATIO there is
no answer.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from statistics import NormalDist

from capacity.domain.answers.sizing import HostType, HostWall, Unanswered
from capacity.domain.load import LoadVector
from capacity.domain.plan import CapacityPlan, UnitCost, Wall
from capacity.domain.resource_facts import COUNTED
from capacity.domain.resources import Resource
from capacity.domain.words import LOADS, RESOURCES, listed
from capacity.models.ceilings import lowest_at_confidence
from capacity.models.uncertainty.intervals import Form, form_of, form_sigma

ONE_SIDED = 0.95
FARTHEST_MIX_RATIO = 4.0
"""As far as a test up to a quarter of the capacity is extrapolated."""
_MIXED = ("deliveries_per_s", "requests_per_s")
_DEVIATIONS = NormalDist().inv_cdf(ONE_SIDED)
_ROUNDING = 1e-9

FRAME_BYTES = 74
"""Beside the payload of a delivery in a packet of its own: WebSocket 4 (RFC 6455), TCP 32 with
timestamps (RFC 9293, 7323), IPv4 20 (RFC 791), Ethernet 18 (IEEE 802.3)."""


def mix_for(
    plan: CapacityPlan, deliveries_per_s: float | None, requests_per_s: float | None
) -> LoadVector:
    """Return the plan's mix with what is given instead of what was measured."""
    mix = plan.mix
    if deliveries_per_s is not None:
        # Updates are as large as those measured.
        size_bytes = mix.delivered_bytes_per_s / (mix.deliveries_per_s or 1.0)
        mix = replace(
            mix,
            deliveries_per_s=deliveries_per_s,
            delivered_bytes_per_s=size_bytes * deliveries_per_s,
        )
    return mix if requests_per_s is None else replace(mix, requests_per_s=requests_per_s)


def why_not_transferable(plan: CapacityPlan, mix: LoadVector) -> Unanswered | None:
    """Return why the plan says nothing about *mix*; None if it does."""
    changed = [name for name in _MIXED if _differs(plan, mix, name)]
    for name in changed:
        if _beyond_tested(plan, mix, name) > FARTHEST_MIX_RATIO:
            assert plan.widest_mix is not None, "only then is anything beyond it"
            return Unanswered(
                reason=(
                    f"The demand has {getattr(mix, name):.3g} {LOADS[name]}/s per connection, but at"
                    f" most {getattr(plan.widest_mix, name):.3g} were tested; costs can be extrapolated"
                    f" to {FARTHEST_MIX_RATIO:g} times that at most."
                ),
                remedy="Measure with the workload of the demand.",
            )
    for wall in plan.ladder:
        joined = [
            name
            for name in changed
            if name not in wall.cost.separated
            and not (wall.resource in COUNTED and name == "deliveries_per_s")
        ]
        if joined:
            return Unanswered(
                reason=(
                    f"The demand's workload differs from the measured one, and the cost of"
                    f" {listed([LOADS[name] for name in joined])} in {RESOURCES[wall.resource]} could"
                    f" not be separated (condition number {plan.condition_number:.3g})."
                ),
                remedy="Measure with the safe profile and the workload of the demand.",
            )
    return None


def host_walls(plan: CapacityPlan, mix: LoadVector, host: HostType | None) -> tuple[HostWall, ...]:
    """Return the walls on *host* (None: as tested) along *mix*, lowest ceiling first."""
    is_loop_known = any(wall.resource is Resource.EVENT_LOOP for wall in plan.ladder)
    found = [_moved(plan, wall, mix, host, is_loop_known=is_loop_known) for wall in plan.ladder]
    if host is not None:
        found += _network(plan, mix, host)
    return tuple(sorted(found, key=lambda wall: wall.ceiling))


def safe_connections(plan: CapacityPlan, walls: tuple[HostWall, ...]) -> int:
    """Return the one-sided 95 % capacity behind *walls*, at least one of which is finite.

    On the tested host and mix that is the plan's own: what the resampled fits know of how walls
    move together enters as its ratio to the bound of independent walls. It never passes a ceiling.
    """
    scale = joint_ratio(plan)
    safe = min(scale * lowest_bound(walls), *(wall.ceiling for wall in walls))
    return math.floor(safe * (1.0 + _ROUNDING))


def joint_ratio(plan: CapacityPlan) -> float:
    """Return the plan's safe capacity over the bound of its walls, were they independent."""
    as_tested = lowest_bound(host_walls(plan, plan.mix, None))
    return plan.safe_capacity / as_tested if as_tested > 0.0 else 0.0


def use_at(wall: HostWall, connections: float) -> float:
    """Return the use of the wall's resource at *connections*."""
    return wall.baseline + wall.marginal * connections


def cautious_use_at(wall: HostWall, connections: float) -> float:
    """Return the use that is not exceeded with 95 %: the limit, at the ceiling's lower end."""
    return wall.baseline + wall.marginal * connections * math.exp(_DEVIATIONS * wall.sigma)


def lowest_bound(walls: tuple[HostWall, ...]) -> float:
    """Return the connections below all of *walls*, held to be independent, one-sided with 95 %."""
    met = [wall for wall in walls if math.isfinite(wall.ceiling)]
    return lowest_at_confidence(
        [wall.ceiling for wall in met], [wall.sigma for wall in met], ONE_SIDED
    )


def _differs(plan: CapacityPlan, mix: LoadVector, name: str) -> bool:
    return not math.isclose(getattr(plan.mix, name), getattr(mix, name), rel_tol=1e-6)


def _beyond_tested(plan: CapacityPlan, mix: LoadVector, name: str) -> float:
    """Return how many times more of a part of the load comes with a connection than was tested."""
    wanted = getattr(mix, name)
    if plan.widest_mix is None or wanted <= 0.0:
        return 1.0
    tested = getattr(plan.widest_mix, name)
    return max(1.0, wanted / tested) if tested > 0.0 else math.inf


def _moved(
    plan: CapacityPlan, wall: Wall, mix: LoadVector, host: HostType | None, *, is_loop_known: bool
) -> HostWall:
    assert wall.limit.value is not None, "a wall has a known limit"
    limit, origin = wall.limit.value, "as measured"
    if host is not None:
        limit, origin = _limit_on(host, wall, limit, is_loop_known=is_loop_known)
    baseline, marginal = wall.cost.baseline.mid, wall.cost.marginal_along(mix)
    # A cost that only the mix's own loads show may vanish along another mix.
    ceiling = max(0.0, limit - baseline) / marginal if marginal > 0.0 else math.inf
    return HostWall(
        resource=wall.resource,
        limit=limit,
        baseline=baseline,
        marginal=marginal,
        ceiling=ceiling,
        sigma=_sigma(plan, wall, mix, ceiling),
        origin=origin,
    )


def _limit_on(
    host: HostType, wall: Wall, measured: float, *, is_loop_known: bool
) -> tuple[float, str]:
    resource = wall.resource
    if resource in host.limits:
        return host.limits[resource], "as given"
    match resource:
        case Resource.CPU:
            cores = host.cores if is_loop_known else min(host.cores, measured)
            return cores * host.core_speed_ratio, "cores"
        case Resource.EVENT_LOOP:
            return measured * host.core_speed_ratio, "speed of a core"
        case Resource.MEMORY | Resource.HOST_MEMORY:
            return host.memory_bytes, "memory"
        case Resource.NETWORK_OUT if host.network_bytes_per_s is not None:
            return host.network_bytes_per_s, "network"
        case _:
            return measured, "as measured"


def _network(plan: CapacityPlan, mix: LoadVector, host: HostType) -> Iterator[HostWall]:
    """Yield the network as a wall where the run had none: from the bytes that were delivered."""
    if host.network_bytes_per_s is None or any(
        wall.resource is Resource.NETWORK_OUT for wall in plan.ladder
    ):
        return
    marginal = mix.delivered_bytes_per_s + FRAME_BYTES * mix.deliveries_per_s
    if marginal > 0.0:
        yield HostWall(
            resource=Resource.NETWORK_OUT,
            limit=host.network_bytes_per_s,
            baseline=0.0,
            marginal=marginal,
            ceiling=host.network_bytes_per_s / marginal,
            sigma=0.0,
            origin="network, from delivered bytes",
        )


def _sigma(plan: CapacityPlan, wall: Wall, mix: LoadVector, ceiling: float) -> float:
    if wall.ceiling.confidence == 1.0 or not 0.0 < ceiling < math.inf:
        return 0.0
    highest = plan.highest_connections
    form = form_of(wall.resource)
    total = math.log(wall.ceiling.mid / max(wall.ceiling.low, 1.0)) / _DEVIATIONS
    if form is Form.LATENCY:
        # Its error is all of its form, and as large as its scatter; how it grows is the form's.
        growth = form_sigma(form, ceiling / highest) / form_sigma(form, wall.ceiling.mid / highest)
        return total * growth
    of_fit = total**2 - form_sigma(form, wall.ceiling.mid / highest) ** 2
    spread = math.sqrt(max(0.0, of_fit))
    beyond = 1.0
    if any(_differs(plan, mix, name) for name in _MIXED):
        spread = max(spread, _spread_along(wall.cost, mix))
        beyond = max(
            (_beyond_tested(plan, mix, name) for name in _MIXED if name in wall.cost.separated),
            default=1.0,
        )
    return math.hypot(spread, form_sigma(form, beyond * ceiling / highest))


def _spread_along(cost: UnitCost, mix: LoadVector) -> float:
    """Return σ of ln(b·d) when the parts of the cost err together."""
    high = (
        cost.per_connection.high
        + cost.per_delivery_per_s.high * mix.deliveries_per_s
        + cost.per_request_per_s.high * mix.requests_per_s
        + cost.per_handshake_per_s.high * mix.handshakes_per_s
    )
    mid = cost.marginal_along(mix)
    return math.log(high / mid) / _DEVIATIONS if mid > 0.0 else 0.0
