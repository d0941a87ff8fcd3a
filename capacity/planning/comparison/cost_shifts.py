"""
What changed in the use that one more connection adds, resource by resource.

Costs and not peaks: they are found at a fraction of the load, and two runs need not have climbed to
the same level. What the whole host shares is shown and not judged, as neighbours take part in it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from capacity.domain.answers.comparison import Change, Outcome
from capacity.domain.caveats import REUSED_BYTES
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.resource_facts import HOST_WIDE, UNITS
from capacity.domain.resources import Resource
from capacity.domain.words import LOADS
from capacity.models.contrasts import pooled_error
from capacity.models.uncertainty.significance import Shift, Side, shift
from capacity.planning.comparison.run_costs import ResourceLine

SHARED = frozenset(HOST_WIDE) | {Resource.CONNTRACK}
"""What neighbours of the target take part in."""
TOLD_FROM_NOTHING = 3.0
"""Standard errors that a cost must be to count as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostShift:
    """One resource on both sides."""

    resource: Resource
    before: Side
    after: Side
    shift: Shift
    note: str

    @property
    def is_judged(self) -> bool:
        """Tell whether this cost can make a regression."""
        if self.resource in SHARED or self.is_reused:
            return False
        return _is_told(self.before) or _is_told(self.after)

    @property
    def is_reused(self) -> bool:
        """Tell whether connections took next to no memory on a side, as where a target was loaded before."""
        return (
            self.resource is Resource.MEMORY
            and min(self.before.mean, self.after.mean) < REUSED_BYTES
        )


def cost_shifts(
    before: Sequence[Mapping[Resource, ResourceLine]],
    after: Sequence[Mapping[Resource, ResourceLine]],
    mix: LoadVector,
    run_noise_ratio: float = 0.0,
) -> list[CostShift]:
    """Return the resources that every run read, each with the cost along *mix* on both sides.

    *run_noise_ratio* is what the costs of one build differ by from run to run, where that is known.
    """
    found = []
    for resource in UNITS:
        if resource is Resource.APPLICATION_CONNECTIONS:
            continue  # A connection takes one, whatever the build.
        runs = [*before, *after]
        if not all(resource in run for run in runs):
            continue
        pooled = pooled_error([run[resource].line for run in runs])
        if pooled is None:
            continue
        error, degrees = pooled
        old, new = ([run[resource] for run in side] for side in (before, after))
        one, other = (
            Side(
                values=[each.line.value(each.along(mix)) for each in side],
                errors=[
                    math.hypot(
                        error * each.line.reach(each.along(mix)),
                        run_noise_ratio * each.line.value(each.along(mix)),
                    )
                    for each in side
                ],
            )
            for side in (old, new)
        )
        found.append(
            CostShift(
                resource=resource,
                before=one,
                after=other,
                shift=shift(one, other, degrees),
                note=_parts(old, new, error, degrees),
            )
        )
    return found


def cost_change(found: CostShift, chance_needed: float, least_effect_ratio: float) -> Change:
    """Return the change, judged: dearer is a regression."""
    base = found.before.mean if _is_told(found.before) else None
    ratio = None if base is None else _ratio(found.shift.difference, base)
    is_certain = found.is_judged and found.shift.chance >= chance_needed
    is_large = ratio is None or abs(ratio.mid - 1.0) >= least_effect_ratio
    outcome = Outcome.NO_CHANGE
    if is_certain and is_large and found.shift.difference.mid != 0.0:
        is_dearer = found.shift.difference.mid > 0.0
        outcome = Outcome.REGRESSION if is_dearer else Outcome.IMPROVEMENT
    return Change(
        figure=f"cost.{found.resource}_per_connection",
        unit=UNITS[found.resource],
        baseline=found.before.mean,
        current=found.after.mean,
        ratio=ratio,
        chance=found.shift.chance,
        seen_from_ratio=None if base is None else found.shift.seen_from(chance_needed) / base,
        outcome=outcome,
        is_judged=found.is_judged,
        note=_note(found, outcome),
    )


def _note(found: CostShift, outcome: Outcome) -> str:
    if found.resource in SHARED:
        return "of the whole host, not judged"
    if found.is_reused:
        return (
            "next to none on a side: used again what it kept of earlier connections, or set aside; restart the"
            " target before each run; not judged"
        )
    if not found.is_judged:
        return "no measurable cost, not judged"
    return "" if outcome is Outcome.NO_CHANGE else found.note


def _ratio(difference: Estimate, base: float) -> Estimate:
    return Estimate(
        low=1.0 + difference.low / base,
        mid=1.0 + difference.mid / base,
        high=1.0 + difference.high / base,
        confidence=difference.confidence,
    )


def _is_told(side: Side) -> bool:
    error = math.sqrt(sum(each**2 for each in side.errors)) / len(side.errors)
    return side.mean > TOLD_FROM_NOTHING * error


def _parts(
    before: Sequence[ResourceLine], after: Sequence[ResourceLine], error: float, degrees: int
) -> str:
    """Return which parts of the load became dearer or cheaper, as far as the runs tell."""
    said = []
    for component, name in LOADS.items():
        sides = []
        for side in (before, after):
            vectors = [(each.line, each.of(component)) for each in side]
            if any(vector is None for _, vector in vectors):
                break
            told = [(line, vector) for line, vector in vectors if vector is not None]
            sides.append(
                Side(
                    values=[line.value(vector) for line, vector in told],
                    errors=[error * line.reach(vector) for line, vector in told],
                )
            )
        if len(sides) < 2 or not _is_told(sides[0]):
            continue
        moved = shift(sides[0], sides[1], degrees)
        if moved.chance >= _PART_CHANCE:
            ratio = moved.difference.mid / sides[0].mean
            said.append(f"{name} {ratio:+.1%}".replace("%", " %"))
    return ", ".join(said)


_PART_CHANCE = 0.99
