"""The demand on one instance, and the room that the safe capacity leaves above it."""

from capacity.domain import units
from capacity.domain.answers.sizing import SizedHost, Sizing
from capacity.domain.plan import CapacityPlan
from capacity.planning.advice.present_instances import present_instances

NO_DEMAND = "no demand given (capacity plan RUN --demand FILE)"


def demand_per_instance(plan: CapacityPlan) -> float | None:
    """Return the peak on one of the present instances, in connections; None where not known.

    Instances of a host type that the demand names are not those whose limits the charts show.
    """
    demand = plan.advice.demand if plan.advice is not None else None
    if demand is None or not demand.instances or demand.host is not None:
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
    _instances, safe = present_instances(plan, demand)
    if not demand.instances or not safe:
        return f"{total}; instances in the demand file give the headroom of each"
    each = demand.connections / demand.instances
    if each > safe:
        said = f"none: demand is {_beyond(each / safe)} what the instances carry safely"
    else:
        said = f"{units.share(1.0 - each / safe)} free"
    kind = "like the tested host" if demand.host is None else f"of type {demand.host}"
    instances = f"{units.counted(demand.instances, 'instance')} {kind}"
    return f"{said}: {total} on {instances}, {units.about(each)} each"


def _beyond(ratio: float) -> str:
    if ratio < 1.1:
        return f"{units.share(ratio - 1.0)} above"
    return f"{units.count(ratio) if ratio >= 10 else units.number(ratio)} times"


def best_host(sizing: Sizing) -> SizedHost | None:
    """Return the cheapest host type, or the first one where none has a price."""
    return next(
        (h for h in sizing.hosts if h.host == sizing.cheapest), next(iter(sizing.hosts), None)
    )
