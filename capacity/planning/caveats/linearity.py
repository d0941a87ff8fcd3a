"""
Doubts about use that does not follow its line: measured ones.

A jump or a bend between the levels (models/breaks.py), a highest level above the line of those
below it, use that is not given back on the way down, and memory that rises while nobody joins
(rising_use.py). Only walls that stand near the capacity matter, and of counted ones a jump is none:
fitted_costs.py leaves their kinks out.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from capacity.domain import units
from capacity.domain.caveats import (
    HIGHEST_LEVEL_RATIO,
    KEPT_RATIO,
    KEPT_UNITS,
    MATERIAL_RATIO,
    NOISE_FACTOR,
    Doubt,
    DoubtKind,
)
from capacity.domain.estimates import Estimate
from capacity.domain.plan import Wall
from capacity.domain.resource_facts import COUNTED, ENVELOPED, HOST_WIDE, LATENCIES
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.models.breaks import highest_level_miss, strongest_break
from capacity.planning.caveats.memory_jumps import (
    garbage_doubts,
    memory_hazards,
    share_of_room,
)
from capacity.planning.caveats.near import is_near
from capacity.planning.caveats.rising_use import LINGERING, rising_doubts
from capacity.planning.costs.fitted_costs import use_design
from capacity.planning.evidence.load_components import Attribution
from capacity.planning.evidence.windows import Window

SAME_LOAD_RATIO = 0.05
_HELD = COUNTED | ENVELOPED


def step_doubts(
    record: RunRecord,
    windows: Sequence[Window],
    attributed: Attribution,
    capacity: Estimate,
    walls: Sequence[Wall],
) -> list[Doubt]:
    """Return the doubts about the walls near *capacity*."""
    doubts: list[Doubt] = []
    for wall in walls:
        if wall.resource in LATENCIES or not wall.cost.windows:
            continue  # No line was fitted through readings of the agent.
        is_near_capacity = is_near(wall, capacity)
        if wall.resource in _HELD and (is_near_capacity or wall.resource not in HOST_WIDE):
            # What others on the host took meanwhile looks the same.
            doubts += _about_way_down(windows, wall, is_near=is_near_capacity)
        if is_near_capacity and wall.resource in ENVELOPED | LINGERING:
            doubts += rising_doubts(record, windows, wall)
        if is_near_capacity and wall.resource not in COUNTED and math.isfinite(wall.ceiling.mid):
            doubts += _about_line(windows, attributed, wall)
            if wall.resource is Resource.MEMORY:
                doubts += memory_hazards(record, wall)
    near = [wall for wall in walls if is_near(wall, capacity)]
    return [*doubts, *garbage_doubts(record, near)]


def _about_line(windows: Sequence[Window], attributed: Attribution, wall: Wall) -> Iterator[Doubt]:
    """Compare with the line what was measured; where it ran below, the forecast is cautious."""
    name = RESOURCES[wall.resource]
    windows = [w for w in windows if not w.is_held_longer or wall.resource not in ENVELOPED]
    by_step = _by_step(windows, wall.resource)
    first = {id(entries[0]) for entries in by_step}
    rows = sorted(
        (row for row, window in enumerate(windows) if id(window) in first),
        key=lambda row: windows[row].step,
    )
    matrix = use_design(wall.resource, windows, attributed.of(wall.resource), rows)
    use = np.array([_mean(entries, wall.resource) for entries in by_step])
    levels = [float(entries[0].asked_connections) for entries in by_step]
    found = strongest_break(matrix, use, levels)
    if found is not None and found.jump > 0.0 and share_of_room(wall, found.jump) > MATERIAL_RATIO:
        yield Doubt(
            kind=DoubtKind.STEP_HAZARD,
            statement=(
                f"{_capital(name)} jumped by {units.amount(found.jump, wall.resource)} between"
                f" {units.counted(round(found.at), 'connection')} and {units.count(found.until)}"
                f" (BIC lower by {units.number(found.evidence, 2)}). Another such jump would use"
                f" {units.share(share_of_room(wall, found.jump))} of the headroom."
            ),
            remedy=(
                f"Measure beyond {units.count(found.until)} connections, and find out what is"
                " allocated or copied at the jump."
            ),
        )
        return
    missed = highest_level_miss(matrix, use, levels)
    is_steeper = found is not None and found.bend > 0.0
    noise = NOISE_FACTOR * _noise_ratio(by_step, wall.resource)
    if missed is not None and missed > max(math.log1p(HIGHEST_LEVEL_RATIO), noise):
        yield Doubt(
            kind=DoubtKind.BENDING,
            statement=(
                f"{_capital(name)} at {units.counted(round(max(levels)), 'connection')} was"
                f" {units.share(math.expm1(missed))} above the linear fit of the lower levels. If"
                " that growth continues, the ceiling is too high."
            ),
            remedy="Measure levels nearer to the capacity; the safe profile's fraction sets them.",
        )
    elif found is not None and is_steeper and _share_of_bend(wall, found.bend) > MATERIAL_RATIO:
        yield Doubt(
            kind=DoubtKind.BENDING,
            statement=(
                f"Above {units.counted(round(found.at), 'connection')} each connection takes"
                f" {units.amount(found.bend, wall.resource)} more {name} than below (BIC lower by"
                f" {units.number(found.evidence, 2)}), so a linear ceiling is too high."
            ),
            remedy="Measure levels nearer to the capacity; the safe profile's fraction sets them.",
        )


def _about_way_down(windows: Sequence[Window], wall: Wall, *, is_near: bool) -> Iterator[Doubt]:
    """Compare steps of one load before and after the step with most connections.

    Memory far from its limit is doubted only where it went on rising: nearly every allocator keeps.
    """
    by_step = _by_step(windows, wall.resource)
    top = max(by_step, key=lambda entries: entries[0].load.connections)[0]
    kept: list[tuple[float, float]] = []
    highest_after = 0.0
    for after in by_step:
        before = [
            entries
            for entries in by_step
            if entries[0].step < top.step < after[0].step and _is_same(entries[0], after[0])
        ]
        if before:
            later = _mean(after, wall.resource)
            highest_after = max(highest_after, later)
            kept.append((later - _mean(before[-1], wall.resource), after[0].load.connections))
    grown = wall.used_at_highest - wall.used_at_baseline
    if not kept or grown <= 0.0:
        return
    most, connections = max(kept)
    if most <= KEPT_RATIO * grown or (wall.resource in COUNTED and most <= KEPT_UNITS):
        return
    risen = highest_after - wall.used_at_highest
    if wall.resource in ENVELOPED and not is_near and risen <= KEPT_RATIO * grown:
        return
    yield Doubt(
        kind=DoubtKind.KEPT,
        statement=(
            f"{_capital(RESOURCES[wall.resource])} at"
            f" {units.counted(round(connections), 'connection')} was"
            f" {units.amount(most, wall.resource)} higher after the peak step than before it:"
            f" {units.share(most / grown)} of what the peak had added was not released. It is either"
            " kept for reuse, which is harmless, or leaked."
        ),
        remedy="Run a soak test of an hour or more at constant load: a leak keeps rising, reuse does not.",
    )


def _by_step(windows: Sequence[Window], resource: Resource) -> list[list[Window]]:
    """Return the windows with a reading, step by step in the order of time."""
    found: defaultdict[int, list[Window]] = defaultdict(list)
    for window in windows:
        if resource in window.mean:
            found[window.step].append(window)
    return [found[step] for step in sorted(found)]


def _mean(windows: Sequence[Window], resource: Resource) -> float:
    return sum(window.mean[resource] for window in windows) / len(windows)


def _noise_ratio(by_step: Sequence[Sequence[Window]], resource: Resource) -> float:
    """Return the standard error of a step's mean over the mean, from windows of one step."""
    scatter = [
        ((window.mean[resource] / mean - 1.0) ** 2, len(entries))
        for entries in by_step
        if len(entries) > 1 and (mean := _mean(entries, resource)) > 0.0
        for window in entries
    ]
    return math.sqrt(
        sum(square / (count * (count - 1)) for square, count in scatter) / len(by_step)
    )


def _is_same(one: Window, other: Window) -> bool:
    """Tell whether two steps carried one load, but for what a plateau varies by itself."""
    return one.asked_connections == other.asked_connections and all(
        abs(a - b) <= SAME_LOAD_RATIO * max(a, b)
        for a, b in (
            (one.load.connections, other.load.connections),
            (one.load.deliveries_per_s, other.load.deliveries_per_s),
            (one.load.requests_per_s, other.load.requests_per_s),
            (one.load.handshakes_per_s, other.load.handshakes_per_s),
        )
    )


def _share_of_bend(wall: Wall, bend: float) -> float:
    """Return the bend over the use that a connection adds on the way to the ceiling."""
    room = (wall.limit.value or 0.0) - wall.cost.baseline.mid
    return bend * wall.ceiling.mid / room if room > 0.0 else 0.0


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
