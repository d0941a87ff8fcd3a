"""The demand on one instance, and the room that the safe capacity leaves above it."""

from capacity.domain import units
from capacity.domain.answers.sizing import SizedHost, Sizing
from capacity.domain.plan import CapacityPlan

NO_DEMAND = "no demand given (capacity plan RUN --demand FILE)"


def demand_per_instance(plan: CapacityPlan) -> float | None:
    """Return the peak on one of the present instances, in connections; None where not known."""
    demand = plan.advice.demand if plan.advice is not None else None
    if demand is None or not demand.instances:
        return None
    return demand.connections / demand.instances


def headroom(plan: CapacityPlan) -> str:
    """Return the share of the safe capacity that the demand leaves free, with its arithmetic."""
    demand = plan.advice.demand if plan.advice is not None else None
    if plan.is_beyond_reach:
        return "none to quote: there is no safe capacity"
    if demand is None:
        return NO_DEMAND
    total = f"{units.count(demand.connections)} connections (demand {demand.name})"
    each = demand_per_instance(plan)
    if each is None or not plan.safe_capacity:
        return f"{total}; instances in the demand file give the headroom of each"
    free = 1.0 - each / plan.safe_capacity
    said = f"{units.share(free)} free" if free >= 0.0 else f"{units.share(-free)} too much"
    return f"{said}: {total} on {units.counted(demand.instances or 0, 'instance')}, {units.about(each)} each"


def best_host(sizing: Sizing) -> SizedHost | None:
    """Return the cheapest host type, or the first one where none has a price."""
    return next(
        (h for h in sizing.hosts if h.host == sizing.cheapest), next(iter(sizing.hosts), None)
    )
