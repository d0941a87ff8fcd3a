"""Reasons to distrust a plan that follow from its own numbers."""

import math
from collections.abc import Iterator, Sequence

from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import Doubt, DoubtKind, Wall
from capacity.models.design_condition import SEPARABLE_BELOW
from capacity.planning.components import Attribution

BY_DESIGN_RATIO = 4.5
"""The safe profile tests to a quarter of the capacity: a ratio of 4 is meant."""
FAR_RATIO = 10.0
POOR_RESIDUAL_RATIO = 0.1
NEAR_TIE_RATIO = 1.1
_WALLS_SHOWN = 3


def plan_doubts(
    capacity: Estimate,
    highest: float,
    walls: Sequence[Wall],
    attributed: Attribution,
    mix: LoadVector,
) -> list[Doubt]:
    """Return the doubts about a ladder that was extrapolated from *highest* connections."""
    return [
        *_about_reach(capacity, highest),
        *_about_separation(attributed, mix),
        *_about_fit(walls[:_WALLS_SHOWN]),
        *_about_tie(walls),
    ]


def _about_reach(capacity: Estimate, highest: float) -> Iterator[Doubt]:
    ratio = capacity.mid / highest
    if ratio > BY_DESIGN_RATIO:
        word = "far beyond" if ratio > FAR_RATIO else "beyond"
        yield Doubt(
            kind=DoubtKind.EXTRAPOLATION,
            statement=(
                f"The capacity is {ratio:.1f} times the {highest:.0f} connections tested,"
                f" {word} the {BY_DESIGN_RATIO} that a test to a quarter means."
            ),
            remedy=f"Add a step with at least {math.ceil(capacity.mid / 4.0)} connections.",
        )
    if highest > max(capacity.high, 1.0) * 1.01:
        yield Doubt(
            kind=DoubtKind.POOR_FIT,
            statement=(
                f"The target carried {highest:.0f} connections, more than the capacity of"
                f" {capacity.mid:.0f} allows."
            ),
            remedy="Check the binding limit: it may be declared too low or belong to something else.",
        )


def _about_separation(attributed: Attribution, mix: LoadVector) -> Iterator[Doubt]:
    if attributed.condition_number > SEPARABLE_BELOW:
        together = ", ".join(attributed.merged) or "connections and the baseline"
        yield Doubt(
            kind=DoubtKind.COSTS_NOT_SEPARATED,
            statement=(
                f"The costs of {together} cannot be told apart from the rest (condition number"
                f" {attributed.condition_number:.0f}, wanted at most {SEPARABLE_BELOW:.0f}):"
                " the plan holds for the measured mix only."
            ),
            remedy="Use the safe profile: it varies subscriptions and requests at each level.",
        )
    for component in attributed.constant:
        if getattr(mix, component) > 0.0:
            yield Doubt(
                kind=DoubtKind.COSTS_NOT_SEPARATED,
                statement=(
                    f"{component} was the same on every plateau"
                    f" ({getattr(mix, component):.3g} per connection of the mix), so its cost lies"
                    " in the baseline and does not grow with the connections."
                ),
                remedy="Let it grow with the connections, as the safe profile does.",
            )


def _about_fit(walls: Sequence[Wall]) -> Iterator[Doubt]:
    for wall in walls:
        if wall.cost.residual_ratio > POOR_RESIDUAL_RATIO:
            yield Doubt(
                kind=DoubtKind.POOR_FIT,
                statement=(
                    f"The use of {wall.resource} leaves its line by {wall.cost.residual_ratio:.0%}"
                    f" of its mean (wanted at most {POOR_RESIDUAL_RATIO:.0%})."
                ),
                remedy="Use longer plateaus, and keep other work off the target's host.",
            )


def _about_tie(walls: Sequence[Wall]) -> Iterator[Doubt]:
    if len(walls) > 1 and walls[1].ceiling.mid <= NEAR_TIE_RATIO * walls[0].ceiling.mid:
        first, second = walls[0], walls[1]
        yield Doubt(
            kind=DoubtKind.NEAR_TIE,
            statement=(
                f"{second.resource} follows at {second.ceiling.mid:.0f} connections, within 10 % of"
                f" {first.resource} at {first.ceiling.mid:.0f}: either may come first."
            ),
            remedy=f"Lift both: lifting {first.resource} alone gains little.",
        )
