"""How many instances there are, and what one of them carries safely."""

from capacity.domain.answers.sizing import Demand, Sizing
from capacity.domain.plan import CapacityPlan
from capacity.planning.advice.reconnect_storm import sized_for


def present_instances(plan: CapacityPlan, demand: Demand) -> tuple[int | None, int]:
    """Return the number of instances, None where not known, and the safe capacity of one, 0 where not known.

    Those that the demand counts are like the host measured unless it names their type; without a
    number they are those of the sizing.
    """
    sizing = plan.advice.sizing if plan.advice is not None else None
    sized = sized_for(sizing, demand) if isinstance(sizing, Sizing) else None
    if demand.instances is None:
        return (None, 0) if sized is None else (sized.instances, sized.safe_connections)
    if demand.host is None:
        return demand.instances, plan.safe_capacity
    is_named = sized is not None and sized.host == demand.host
    return demand.instances, sized.safe_connections if sized is not None and is_named else 0
