"""When demand meets what the present instances carry: with the reserves of policy, and without."""

import math

from capacity.domain import units
from capacity.domain.answers.sizing import (
    Demand,
    Exhaustion,
    ExhaustionDate,
    HostType,
    Sizing,
    Unanswered,
)
from capacity.domain.estimates import Estimate
from capacity.domain.plan import CapacityPlan
from capacity.domain.units import MONTH_S
from capacity.models.operations.growth import months_until_exhausted
from capacity.models.operations.redundancy import survivors
from capacity.models.uncertainty.intervals import CONFIDENCE
from capacity.planning.advice.other_hosts import host_walls, safe_connections
from capacity.planning.advice.reconnect_storm import sized_for
from capacity.planning.advice.sizing import losses, name_of

HORIZON_MONTHS = 600.0
"""Later dates are none."""
PROBABILITIES = (0.1, 0.5, 0.9)


def exhaustion(
    plan: CapacityPlan, demand: Demand, sizing: Sizing | Unanswered, host: HostType | None
) -> Exhaustion | Unanswered:
    """Return the dates for the present instances, or for those of *sizing* where none are given.

    *host* is the type of the instances.
    """
    growth = demand.growth_per_month
    if growth is None:
        return Unanswered(
            reason="The demand file gives no growth rate, so there is no exhaustion date.",
            remedy="Give growth_per_month in the demand file, with its uncertainty.",
        )
    if isinstance(sizing, Unanswered):
        return sizing
    sized = sized_for(sizing, demand)
    instances = demand.instances or (sized.instances if sized else None)
    if instances is None:
        return Unanswered(
            reason=f"None of {len(sizing.unsized)} host types can carry the workload.",
            remedy="Set instances (the present number) in the demand file.",
        )
    one = _capacity(plan, sizing, host)
    if math.isinf(one.mid):
        return Unanswered(
            reason=(
                f"No resource of {name_of(host)} has a measurable cost for the demand's workload, so"
                f" what {units.counted(instances, 'instance')} carry is not known."
            ),
            remedy="Measure with the workload of the demand.",
        )
    left = survivors(instances, **losses(demand))
    kept = 1.0 - demand.headroom_ratio
    return Exhaustion(
        demand=demand.name,
        host=name_of(host),
        instances=instances,
        growth_per_month=growth,
        dates=(
            _date("headroom and reserve instances", _times(one, left * kept), demand, growth),
            _date("all instances, without headroom", _times(one, instances), demand, growth),
        ),
    )


def _capacity(plan: CapacityPlan, sizing: Sizing, host: HostType | None) -> Estimate:
    """Return the capacity of one instance along the demand's mix, its interval that of the plan."""
    walls = host_walls(plan, sizing.mix, host)
    if host is None and sizing.mix == plan.mix:
        return plan.capacity
    mid, low = walls[0].ceiling, float(safe_connections(plan, walls))
    high = mid * mid / low if 0.0 < low < mid else mid
    return Estimate.around(mid, low, high, CONFIDENCE)


def _times(one: Estimate, factor: float) -> Estimate:
    return Estimate(
        low=one.low * factor,
        mid=one.mid * factor,
        high=one.high * factor,
        confidence=one.confidence,
    )


def _date(of: str, connections: Estimate, demand: Demand, growth: Estimate) -> ExhaustionDate:
    months = months_until_exhausted(demand.connections, connections, growth, PROBABILITIES)
    early_at, middle_at, late_at = (_at(demand, value) for value in months)
    return ExhaustionDate(
        of=of, connections=connections, early_at=early_at, middle_at=middle_at, late_at=late_at
    )


def _at(demand: Demand, months: float) -> float | None:
    return demand.as_of_at + months * MONTH_S if months <= HORIZON_MONTHS else None
