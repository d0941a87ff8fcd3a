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
from capacity.planning.costs.uneven_share import shares_of
from capacity.planning.evidence.load_components import Attribution
from capacity.planning.evidence.windows import Window


def plan_doubts(
    capacity: Estimate,
    highest: float,
    walls: Sequence[Wall],
    attributed: Attribution,
    mix: LoadVector,
    *,
    windows: Sequence[Window] = (),
    processes: int = 1,
    has_threads: bool = False,
) -> list[Doubt]:
    """Return the doubts about a ladder that was extrapolated from *highest* connections.

    There is at least one wall; *windows* are what it was fitted through; *processes* is how many of the
    target share the connections; *has_threads* says that the hottest thread was read.
    """
    return [
        *_about_reach(capacity, highest, walls[0]),
        *_about_separation(attributed, mix),
        *_about_fit(capacity, walls),
        *_about_uncertain(capacity, walls),
        *_about_tie(walls),
        *_about_one_loop(walls, has_threads=has_threads),
        *_about_shares(walls, windows, processes),
    ]


def _about_reach(capacity: Estimate, highest: float, binding: Wall) -> Iterator[Doubt]:
    ratio = capacity.mid / highest
    # What is counted is carried any distance once its slope was seen.
    if ratio > BY_DESIGN_RATIO and binding.resource not in COUNTED:
        word = "far beyond" if ratio > FARTHEST_RATIO else "beyond"
        yield Doubt(
            kind=DoubtKind.EXTRAPOLATION,
            statement=(
                f"The capacity is extrapolated to {units.number(ratio, 2)} times the tested"
                f" {units.counted(round(highest), 'connection')}, {word} the 4 to 5"
                " times that a safe test needs."
            ),
            remedy=f"Add a step with at least {_quarter(capacity)} connections.",
        )
    if highest > max(capacity.high, 1.0) * 1.01:
        yield Doubt(
            kind=DoubtKind.POOR_FIT,
            statement=(
                f"The target carried {units.counted(round(highest), 'connection')}, more than the"
                f" computed capacity of {units.middle(capacity)}."
            ),
            remedy="Check the bottleneck's limit: it may be declared too low or belong to another process.",
        )


def _about_separation(attributed: Attribution, mix: LoadVector) -> Iterator[Doubt]:
    if attributed.condition_number > SEPARABLE_BELOW:
        together = listed([LOADS[name] for name in attributed.merged]) or "connections"
        yield Doubt(
            kind=DoubtKind.COSTS_NOT_SEPARATED,
            statement=(
                f"The cost of {together} cannot be separated from the rest (condition number"
                f" {units.about(attributed.condition_number)}, limit"
                f" {units.count(SEPARABLE_BELOW)}):"
                " the plan is valid for the measured workload only."
            ),
            remedy=(
                "Measure any other workload by itself. The safe profile tells the components apart"
                " where the dialect can unsubscribe and the target file has polls (rest): it then"
                " varies them at each level."
            ),
        )
    for component in attributed.constant:
        if getattr(mix, component) > 0.0:
            yield Doubt(
                kind=DoubtKind.COSTS_NOT_SEPARATED,
                statement=(
                    f"The rate of {LOADS[component]} was the same on every plateau"
                    f" ({units.number(getattr(mix, component))}/s per connection of the full"
                    " workload), so their cost is in the baseline and is not counted per connection."
                ),
                remedy="Let the rate grow with the connections, as the safe profile does.",
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
                f"Measured usage deviates from the linear fit by more than"
                f" {units.share(POOR_RESIDUAL_RATIO)} of its mean: {listed(poor)}."
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
                    f"The cost per connection in {name} is lost in measurement noise. Only a lower"
                    f" bound is known: {units.about(wall.ceiling.low)} connections, which is below"
                    " the capacity."
                ),
                remedy="Add steps with more connections, or longer plateaus.",
            )


def _about_tie(walls: Sequence[Wall]) -> Iterator[Doubt]:
    if len(walls) > 1 and walls[1].ceiling.mid <= NEAR_TIE_RATIO * walls[0].ceiling.mid:
        first, second = walls[0], walls[1]
        yield Doubt(
            kind=DoubtKind.NEAR_TIE,
            statement=(
                f"Two bottlenecks lie within {units.share(NEAR_TIE_RATIO - 1.0)}:"
                f" {RESOURCES[first.resource]} at {units.middle(first.ceiling)} connections and"
                f" {RESOURCES[second.resource]} at {units.middle(second.ceiling)}. Either may"
                " saturate first."
            ),
            remedy=f"Raise both: raising {RESOURCES[first.resource]} alone gains little.",
        )
    likelier = max(walls, key=lambda wall: wall.binding_probability)
    if likelier.binding_probability > walls[0].binding_probability:
        name = RESOURCES[likelier.resource]
        yield Doubt(
            kind=DoubtKind.NEAR_TIE,
            statement=(
                f"{name.capitalize()} saturates first in"
                f" {units.share(likelier.binding_probability)} of the bootstrap's replicates, before"
                f" {RESOURCES[walls[0].resource]}: its ceiling is known as"
                f" {units.about(likelier.ceiling.low)} connections at least."
            ),
            remedy=f"Take {name} for the bottleneck until a higher level, or a host with less other work,"
            " tells its cost.",
        )


def _about_one_loop(walls: Sequence[Wall], *, has_threads: bool) -> Iterator[Doubt]:
    """Doubt a capacity of processor time that one thread may not reach, or only with long waits."""
    first = walls[0]
    by_resource = {wall.resource: wall for wall in walls}
    if first.resource is Resource.EVENT_LOOP and not LATENCIES & by_resource.keys():
        waits = units.number(BUSY_LOOP_RATIO / (1.0 - BUSY_LOOP_RATIO))
        yield Doubt(
            kind=DoubtKind.SINGLE_EVENT_LOOP,
            statement=(
                "At the capacity one core is 100 % busy with the hottest thread, or with the threads of"
                " an interpreter that lets one run at a time (Python, Ruby). At"
                f" {units.share(BUSY_LOOP_RATIO)} utilization"
                f" ({units.about(BUSY_LOOP_RATIO * first.ceiling.mid)} connections) the queueing delay"
                f" is already {waits} × the service time (M/M/1), and no latency SLO is set."
            ),
            remedy=(
                "Set slo.delivery_delay or slo.request_latency in the target file, so that latency"
                " limits the capacity; run one process per core."
            ),
        )
    limit = first.limit.value or 0.0
    is_unread = Resource.EVENT_LOOP not in by_resource and not has_threads
    if first.resource is Resource.CPU and is_unread and limit > 1.0:
        baseline = first.cost.baseline.mid
        one_core = first.ceiling.mid * max(0.0, 1.0 - baseline) / max(limit - baseline, 1e-9)
        yield Doubt(
            kind=DoubtKind.SINGLE_EVENT_LOOP,
            statement=(
                "CPU per thread was not read. If one thread does all the work, it saturates at"
                f" {units.about(min(one_core, first.ceiling.mid))} connections, not at the"
                f" {units.middle(first.ceiling)} that {units.amount(limit, Resource.CPU)} would carry."
            ),
            remedy="Measure with `capacity agent`, which reads the hottest thread.",
        )


def _about_shares(
    walls: Sequence[Wall], windows: Sequence[Window], processes: int
) -> Iterator[Doubt]:
    """Doubt an even share: the process that happens to have most connections is full first."""
    first = walls[0]
    if processes < 2 or first.resource is not Resource.DESCRIPTORS or first.limit.value is None:
        return
    baseline = first.cost.baseline.mid
    shares = shares_of(windows, first.limit.value, baseline) if windows else None
    if shares is not None and not shares.is_by_chance:
        yield Doubt(
            kind=DoubtKind.UNEVEN_SHARE,
            statement=(
                f"{processes} processes share the connections unevenly: the fullest one had"
                f" {units.share(shares.fullest_ratio)} of them, more than chance explains. If it keeps"
                f" that share, it is full at {units.middle(first.ceiling)} connections in all; with an"
                f" even distribution they would hold {units.about(shares.even)}."
            ),
            remedy=(
                "Let one process accept and distribute connections evenly, or give each a listening"
                " socket of its own (SO_REUSEPORT). Where all accept from one socket, the others may go"
                " on when the fullest one is full: measure a level beyond its share to see that."
            ),
        )
        return
    even = (first.limit.value - baseline) / first.cost.per_connection.mid
    yield Doubt(
        kind=DoubtKind.UNEVEN_SHARE,
        statement=(
            f"{processes} processes share the connections unevenly, and the fullest one saturates"
            f" first. With an even distribution they would hold {units.about(even)} connections,"
            f" with the usual random one {units.middle(first.ceiling)}; the number changes with every"
            " restart."
        ),
        remedy="Keep headroom for it, or let one process accept and distribute connections evenly.",
    )


def _quarter(capacity: Estimate) -> str:
    return units.count(math.ceil(capacity.mid / 4.0))
