"""Whose exhaustion date it is: how many instances, and of which type of host, in words."""

from capacity.domain import units
from capacity.domain.answers.sizing import Demand, Exhaustion
from capacity.planning.advice.sizing import AS_TESTED


def instances_in_words(found: Exhaustion, demand: Demand | None) -> str:
    """Return "14 present instances like the tested host"; *demand* is None in plans made before."""
    kind = "like the tested host" if found.host == AS_TESTED else f"of type {found.host}"
    if demand is not None and demand.instances is None:
        return f"{units.counted(found.instances, 'instance')} {kind}, as sized for the demand"
    return f"{units.counted(found.instances, 'present instance')} {kind}"


def is_already(at: float | None, demand: Demand | None) -> bool:
    """Return whether a date is that of the demand itself: nothing was left on that day."""
    return at is not None and demand is not None and at <= demand.as_of_at


def month(at: float | None, demand: Demand | None) -> str:
    """Return the month of a date; a day would be more than a line has room for."""
    if is_already(at, demand):
        return "already"
    return "later" if at is None else units.moment(at)[:7]
