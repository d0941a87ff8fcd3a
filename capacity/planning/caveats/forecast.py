"""Reasons to distrust a plan that follow from its own numbers."""

import math
from collections.abc import Iterator, Sequence

from capacity.domain import units
from capacity.domain.caveats import (
    BUSY_LOOP_RATIO,
    BY_DESIGN_RATIO,
    FARTHEST_RATIO,
    NEAR_TIE_RATIO,
    POOR_RESIDUAL_RATIO,
    Doubt,
    DoubtKind,
)
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import Wall
from capacity.domain.resource_facts import COUNTED, LATENCIES
from capacity.domain.resources import Resource
from capacity.domain.words import LOADS, RESOURCES, listed
from capacity.models.design import SEPARABLE_BELOW
from capacity.planning.caveats.near import is_near
from capacity.planning.evidence.load_components import Attribution


def plan_doubts(
    capacity: Estimate,
    highest: float,
    walls: Sequence[Wall],
    attributed: Attribution,
    mix: LoadVector,
    *,
    processes: int = 1,
) -> list[Doubt]:
    """Return the doubts about a ladder that was extrapolated from *highest* connections.

    *processes* is how many of the target share the connections.
    """
    return [
        *_about_reach(capacity, highest, walls[0] if walls else None),
        *_about_separation(attributed, mix),
        *_about_fit(capacity, walls),
        *_about_uncertain(capacity, walls),
        *_about_tie(walls),
        *_about_one_loop(walls),
        *_about_shares(walls, processes),
    ]


def _about_reach(capacity: Estimate, highest: float, binding: Wall | None) -> Iterator[Doubt]:
    ratio = capacity.mid / highest
    # What is counted is carried any distance once its slope was seen.
    if ratio > BY_DESIGN_RATIO and (binding is None or binding.resource not in COUNTED):
        word = "far beyond" if ratio > FARTHEST_RATIO else "beyond"
        yield Doubt(
            kind=DoubtKind.EXTRAPOLATION,
            statement=(
                f"The capacity is {units.number(ratio, 2)} times the"
                f" {units.counted(round(highest), 'connection')} tested, {word} the 4 times of a"
                " test up to a quarter of it."
            ),
            remedy=f"Add a step with at least {_quarter(capacity)} connections.",
        )
    if highest > max(capacity.high, 1.0) * 1.01:
        yield Doubt(
            kind=DoubtKind.POOR_FIT,
            statement=(
                f"The target carried {units.counted(round(highest), 'connection')}, more than the"
                f" capacity of {units.middle(capacity)} allows."
            ),
            remedy="Check the binding limit: it may be declared too low or belong to something else.",
        )


def _about_separation(attributed: Attribution, mix: LoadVector) -> Iterator[Doubt]:
    if attributed.condition_number > SEPARABLE_BELOW:
        together = listed([LOADS[name] for name in attributed.merged]) or "connections"
        yield Doubt(
            kind=DoubtKind.COSTS_NOT_SEPARATED,
            statement=(
                f"The costs of {together} cannot be told apart from the rest (condition number"
                f" {units.about(attributed.condition_number)}, wanted at most"
                f" {units.count(SEPARABLE_BELOW)}):"
                " the plan holds for the measured mix only."
            ),
            remedy="Use the safe profile: it varies subscriptions and requests at each level.",
        )
    for component in attributed.constant:
        if getattr(mix, component) > 0.0:
            yield Doubt(
                kind=DoubtKind.COSTS_NOT_SEPARATED,
                statement=(
                    f"The rate of {LOADS[component]} was the same on every plateau"
                    f" ({units.number(getattr(mix, component))}/s a connection of the mix), so"
                    " their cost lies in the baseline and does not grow with the connections."
                ),
                remedy="Let it grow with the connections, as the safe profile does.",
            )


def _about_fit(capacity: Estimate, walls: Sequence[Wall]) -> Iterator[Doubt]:
    poor = [
        f"{RESOURCES[wall.resource]} by {units.share(wall.cost.residual_ratio)}"
        for wall in walls
        if wall.cost.residual_ratio > POOR_RESIDUAL_RATIO and is_near(wall, capacity)
    ]
    if poor:
        yield Doubt(
            kind=DoubtKind.POOR_FIT,
            statement=(
                f"Measured use leaves its line by more than {units.share(POOR_RESIDUAL_RATIO)} of"
                f" its mean on {units.counted(len(poor), 'wall')} near the capacity:"
                f" {listed(poor)}."
            ),
            remedy="Use longer plateaus, and keep other work off the target's host.",
        )


def _about_uncertain(capacity: Estimate, walls: Sequence[Wall]) -> Iterator[Doubt]:
    """Name the walls of which only a lower end is known, where that is below the capacity."""
    for wall in walls:
        if not wall.ceiling.is_bounded and wall.ceiling.low < capacity.mid:
            name = RESOURCES[wall.resource]
            yield Doubt(
                kind=DoubtKind.POOR_FIT,
                statement=(
                    f"What a connection takes of {name} is lost in how much its readings scatter:"
                    f" at least {units.about(wall.ceiling.low)} connections fit, and the capacity"
                    " is not known to be higher than that."
                ),
                remedy="Add steps with more connections, or longer plateaus.",
            )


def _about_tie(walls: Sequence[Wall]) -> Iterator[Doubt]:
    if len(walls) > 1 and walls[1].ceiling.mid <= NEAR_TIE_RATIO * walls[0].ceiling.mid:
        first, second = walls[0], walls[1]
        yield Doubt(
            kind=DoubtKind.NEAR_TIE,
            statement=(
                f"Two walls stand within {units.share(NEAR_TIE_RATIO - 1.0)} of each other:"
                f" {RESOURCES[first.resource]} at {units.middle(first.ceiling)} connections and"
                f" {RESOURCES[second.resource]} at {units.middle(second.ceiling)}; either may come"
                " first."
            ),
            remedy=f"Lift both: lifting {RESOURCES[first.resource]} alone gains little.",
        )


def _about_one_loop(walls: Sequence[Wall]) -> Iterator[Doubt]:
    """Doubt a capacity of processor time that one thread may not reach, or only with long waits."""
    first = walls[0]
    by_resource = {wall.resource: wall for wall in walls}
    if first.resource is Resource.EVENT_LOOP and not LATENCIES & by_resource.keys():
        waits = units.number(BUSY_LOOP_RATIO / (1.0 - BUSY_LOOP_RATIO))
        yield Doubt(
            kind=DoubtKind.SINGLE_EVENT_LOOP,
            statement=(
                "The capacity is where 1 thread is busy all the time. At"
                f" {units.share(BUSY_LOOP_RATIO)} of it ({units.about(BUSY_LOOP_RATIO * first.ceiling.mid)}"
                f" connections) a message waits {waits} times as long as it takes to serve, and 0"
                " objectives say how long it may."
            ),
            remedy=(
                "Set slo.delivery_delay or slo.request_latency in the target file, so that the delay"
                " is a wall; run one process a core."
            ),
        )
    limit = first.limit.value or 0.0
    if first.resource is Resource.CPU and Resource.EVENT_LOOP not in by_resource and limit > 1.0:
        baseline = first.cost.baseline.mid
        one_core = first.ceiling.mid * max(0.0, 1.0 - baseline) / max(limit - baseline, 1e-9)
        yield Doubt(
            kind=DoubtKind.SINGLE_EVENT_LOOP,
            statement=(
                f"The threads of the target were not read. If 1 does all the work, it is full at"
                f" {units.about(min(one_core, first.ceiling.mid))} connections, not at"
                f" {units.middle(first.ceiling)} with {units.amount(limit, Resource.CPU)}."
            ),
            remedy="Measure with `capacity agent`, which reads the hottest thread.",
        )


def _about_shares(walls: Sequence[Wall], processes: int) -> Iterator[Doubt]:
    """Doubt an even share: the process that happens to have most connections is full first."""
    first = walls[0]
    if processes < 2 or first.resource is not Resource.DESCRIPTORS or first.limit.value is None:
        return
    even = (first.limit.value - first.cost.baseline.mid) / first.cost.per_connection.mid
    yield Doubt(
        kind=DoubtKind.UNEVEN_SHARE,
        statement=(
            f"{processes} processes share the connections, and the fullest is full first: shared"
            f" evenly they would hold {units.about(even)}, as chance has it"
            f" {units.middle(first.ceiling)}, and after every restart another number."
        ),
        remedy="Leave room for it, or let one process accept for all and hand out evenly.",
    )


def _quarter(capacity: Estimate) -> str:
    return units.count(math.ceil(capacity.mid / 4.0))
