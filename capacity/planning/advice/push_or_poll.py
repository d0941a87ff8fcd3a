"""
Push over WebSocket or poll over REST, on the tested target or a host type.

Only resources take part whose costs of a connection, a delivery and a request the run told apart. A
poller whose connection is kept alive holds what an idle connection holds; its break-even interval
is asked of what is spent: CPU, event loop, network.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from capacity.domain.answers.sizing import (
    ArrivalCost,
    BreakEven,
    HostType,
    HostWall,
    PushAgainstPoll,
    Trade,
    Unanswered,
)
from capacity.domain.estimates import Estimate
from capacity.domain.observation import StepObservation
from capacity.domain.plan import CapacityPlan, UnitCost
from capacity.domain.resource_facts import COUNTED, FLOWS
from capacity.domain.resources import Resource
from capacity.models.operations.push_or_poll import (
    break_even_interval_s,
    held_share,
    poll_cost,
    poll_interval_s_at_freshness,
)
from capacity.planning.advice.other_hosts import host_walls
from capacity.planning.advice.sizing import name_of

DELIVERIES_PER_S = (0.01, 0.1, 1.0, 10.0, 100.0)
FRESHNESS_S = (0.5, 1.0, 5.0, 30.0, 300.0)
_PARTS = ("connections", "deliveries_per_s", "requests_per_s")


def break_even(
    plan: CapacityPlan,
    steps: Sequence[StepObservation],
    arrival: ArrivalCost | Unanswered,
    host: HostType | None,
) -> BreakEven | Unanswered:
    """Return the table of update rates and freshnesses, and the intervals that break even."""
    costs = {wall.resource: wall.cost for wall in plan.ladder if _is_separated(wall.cost)}
    priced = [cost for resource, cost in costs.items() if resource in FLOWS and _is_priced(cost)]
    if not priced:
        return Unanswered(
            reason=(
                "The costs of a connection, a delivery and a request could not be separated in CPU,"
                f" event loop or network (condition number {plan.condition_number:.3g})."
            ),
            remedy=(
                "Measure with the safe profile and REST requests in its mix: it varies each of them"
                " separately."
            ),
        )
    walls = [wall for wall in host_walls(plan, plan.mix, host) if wall.resource in costs]
    reply_s = _reply_s(steps)
    instance = _Instance(
        walls=walls,
        costs=costs,
        arrival={} if isinstance(arrival, Unanswered) else arrival.cpu_s,
    )
    deliveries_per_s = plan.mix.deliveries_per_s
    return BreakEven(
        host=name_of(host),
        resources=tuple(_against(cost, deliveries_per_s) for cost in priced),
        trades=tuple(
            _trade(instance, rate, freshness, poll_interval_s_at_freshness(freshness, reply_s))
            for rate in DELIVERIES_PER_S
            for freshness in FRESHNESS_S
        ),
        premise=_trade(
            instance,
            deliveries_per_s,
            None,
            1.0 / deliveries_per_s if deliveries_per_s > 0.0 else None,
        ),
        price_per_month=None if host is None else host.price_per_month,
        currency="" if host is None else host.currency,
        left_out=tuple(wall.resource for wall in plan.ladder if wall.resource not in costs),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Instance:
    """One instance that serves clients of one kind only."""

    walls: Sequence[HostWall]
    costs: Mapping[Resource, UnitCost]
    arrival: Mapping[Resource, Estimate]

    def clients(self, cost_of: Callable[[UnitCost], float]) -> tuple[float, Resource]:
        """Return how many clients it holds, each at the cost given, and what gives out first."""
        return min(
            (_held(wall, cost_of(self.costs[wall.resource])), wall.resource) for wall in self.walls
        )

    def poll(self, cost: UnitCost, interval_s: float) -> float:
        """Return the use of one client that polls."""
        if cost.resource not in FLOWS:
            return cost.per_connection.mid * held_share(interval_s)
        arrival = self.arrival.get(cost.resource)
        return poll_cost(
            cost.per_request_per_s.mid, 0.0 if arrival is None else arrival.mid, interval_s
        )


def _held(wall: HostWall, cost: float) -> float:
    room = max(0.0, wall.limit - wall.baseline)
    return room / cost if cost > 0.0 else math.inf


def _is_separated(cost: UnitCost) -> bool:
    wanted = set(_PARTS)
    if cost.resource in COUNTED:
        wanted.discard("deliveries_per_s")
    return wanted <= set(cost.separated)


def _is_priced(cost: UnitCost) -> bool:
    """Tell whether a request takes of the resource at all, and a connection or a delivery too."""
    pushed = cost.per_connection.mid + cost.per_delivery_per_s.mid
    return cost.per_request_per_s.mid > 0.0 and pushed > 0.0


def _against(cost: UnitCost, deliveries_per_s: float) -> PushAgainstPoll:
    interval_s = break_even_interval_s(
        cost.per_connection.mid,
        cost.per_delivery_per_s.mid,
        cost.per_request_per_s.mid,
        deliveries_per_s,
    )
    return PushAgainstPoll(
        resource=cost.resource,
        push_idle=cost.per_connection.mid,
        push_per_delivery_per_s=cost.per_delivery_per_s.mid,
        poll_per_request_per_s=cost.per_request_per_s.mid,
        interval_s=interval_s if math.isfinite(interval_s) else None,
    )


def _trade(
    instance: _Instance,
    deliveries_per_s: float,
    freshness_s: float | None,
    interval_s: float | None,
) -> Trade:
    pushed, push_binding = instance.clients(
        lambda cost: cost.per_connection.mid + cost.per_delivery_per_s.mid * deliveries_per_s
    )
    polled, poll_binding = None, None
    if interval_s is not None:
        polled, poll_binding = instance.clients(lambda cost: instance.poll(cost, interval_s))
    return Trade(
        deliveries_per_s=deliveries_per_s,
        freshness_s=freshness_s,
        poll_interval_s=interval_s,
        push_clients=pushed,
        push_binding=push_binding,
        poll_clients=polled,
        poll_binding=poll_binding,
    )


def _reply_s(steps: Sequence[StepObservation]) -> float:
    """Return the time that a reply took in the middle, at most load; 0 where none was recorded."""
    read = [step.request_latency for step in steps if step.request_latency is not None]
    return read[-1].p50_s if read else 0.0
