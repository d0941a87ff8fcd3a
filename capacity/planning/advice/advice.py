"""All answers beyond the ladder: sizing, storm, push or poll, exhaustion, sensitivity."""

from collections.abc import Sequence

from capacity.domain.answers.sizing import Advice, Demand, HostType, Unanswered
from capacity.domain.plan import CapacityPlan
from capacity.domain.run import RunRecord
from capacity.planning.advice.arrival_cost import arrival_cost
from capacity.planning.advice.exhaustion import exhaustion
from capacity.planning.advice.push_or_poll import break_even
from capacity.planning.advice.reconnect_storm import sized_for, storm
from capacity.planning.advice.sensitivity import sensitivities
from capacity.planning.advice.sizing import sized
from capacity.planning.advice.storm_drill import drill_outcomes


def advice(
    record: RunRecord,
    plan: CapacityPlan,
    demand: Demand | None = None,
    hosts: Sequence[HostType] = (),
) -> Advice:
    """Return the advice on *plan*; a host that *demand* names is one of *hosts*."""
    cost = arrival_cost(record, plan)
    if demand is None:
        return Advice(
            sizing=None,
            arrival_cost=cost,
            storm=None,
            break_even=break_even(plan, record.steps, cost, None),
            exhaustion=None,
            sensitivities=sensitivities(plan),
            drills=drill_outcomes(record, plan),
        )
    sizing = sized(plan, demand, hosts)
    chosen = None if isinstance(sizing, Unanswered) else sized_for(sizing, demand)
    host = next((h for h in hosts if chosen is not None and h.name == chosen.host), None)
    return Advice(
        sizing=sizing,
        arrival_cost=cost,
        storm=storm(sizing, cost, demand),
        break_even=break_even(plan, record.steps, cost, host),
        exhaustion=exhaustion(plan, demand, sizing, _present_type(demand, hosts, host)),
        sensitivities=sensitivities(plan),
        demand=demand,
        hosts=tuple(hosts),
        drills=drill_outcomes(record, plan),
    )


def _present_type(
    demand: Demand, hosts: Sequence[HostType], sized_type: HostType | None
) -> HostType | None:
    """Return the type of the instances that there are; None: as tested.

    Those that the demand counts are of the type it names, else like the one measured. Without a
    number they are those of the sizing.
    """
    if demand.instances is None:
        return sized_type
    return next((host for host in hosts if host.name == demand.host), None)
