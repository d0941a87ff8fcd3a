"""What became of a target between two measurements of it."""

from dataclasses import dataclass
from enum import StrEnum

from capacity.domain.estimates import Estimate
from capacity.domain.resources import Limit, Resource


class Outcome(StrEnum):
    """What a comparison comes to, of one figure or of all."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    NO_CHANGE = "no_change"
    """No change that is both large enough and certain enough."""
    CHANGED = "changed"
    """Changed, and neither better nor worse by that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One figure, before and after."""

    figure: str
    """As rules call it: capacity.safe, cost.memory_per_connection, delivery_delay.p99."""
    unit: str
    """bytes, cores, seconds, connections and the like."""
    baseline: float | None
    """Mean over the runs of the baseline; None where none has it."""
    current: float | None
    ratio: Estimate | None
    """current / baseline; None where there is nothing to divide by."""
    chance: float | None
    """That there is a change in the direction seen, 0.5 to 1; None where the runs do not tell."""
    seen_from_ratio: float | None
    """Relative change from which on these runs would notice one in 95 of 100 cases."""
    outcome: Outcome
    is_judged: bool = True
    """Takes part in the verdict."""
    note: str = ""
    """What to know about this one; nothing mostly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """A limit that is not what it was; nothing about it is uncertain."""

    resource: Resource
    baseline: Limit | None
    """None: no such limit was read or declared."""
    current: Limit | None
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One or more runs against a baseline of one or more runs of the same experiment."""

    runs: tuple[str, ...]
    baselines: tuple[str, ...]
    outcome: Outcome
    bottleneck: tuple[Resource, Resource]
    """The resource with the lowest ceiling, before and after; of several runs, the most frequent."""
    capacity: tuple[Change, ...]
    """capacity.mid and capacity.safe."""
    costs: tuple[Change, ...]
    """Use that one more connection adds with its share of the baseline's mix, resource by resource."""
    limits: tuple[LimitChange, ...]
    delays: tuple[Change, ...]
    chance_needed: float
    """That a change is real, from which on it counts: 1 % of false alarms over all figures."""
    least_effect_ratio: float
    """Smaller changes do not count, however certain."""
    caveats: tuple[str, ...]
    """What differs between the runs, or limits what they can tell."""

    @property
    def regressions(self) -> tuple[str, ...]:
        """Return the figures and limits that got worse."""
        figures = (*self.capacity, *self.costs, *self.delays)
        worse = [each.figure for each in figures if each.outcome is Outcome.REGRESSION]
        lower = [each for each in self.limits if each.outcome is Outcome.REGRESSION]
        return (*worse, *(f"limit.{each.resource}" for each in lower))
