"""
Jumps of memory that are known to come without a warning at low load.

* pages shared since a fork are copied when they are written: memory jumps by up to what is shared
* a runtime's heap has a cap of its own, which earlier agents did not read
* garbage comes together before any is collected, and is no cost of each connection
* a target that was loaded before uses again what it kept of those connections, and takes more only beyond
* hash tables double: some 100 bytes an entry and table for CPython (PEP 412, dictobject.c)
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from capacity.domain import units
from capacity.domain.caveats import (
    MATERIAL_RATIO,
    REUSED_BYTES,
    USUAL_BYTES,
    Doubt,
    DoubtKind,
)
from capacity.domain.estimates import Estimate
from capacity.domain.plan import Wall
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.planning.bottlenecks.ceilings import Walls
from capacity.planning.costs.young_generation import HELD_IN, garbage_bytes, garbage_ratio
from capacity.planning.evidence.plausible import UNREAD, is_plausible
from capacity.planning.evidence.windows import Window

TABLE_BYTES = 100.0
TABLES = 2.0
"""That hold an entry for each connection: one by descriptor in the event loop, one in the server."""
HEAP_CAPS: Mapping[str, str] = {
    "java": "-Xmx (by default a quarter of the memory)",
    "node": "--max-old-space-size (by default at most 4 GB)",
    "dotnet": "GCHeapHardLimit (by default three quarters of the cgroup's limit)",
}


def memory_hazards(record: RunRecord, wall: Wall) -> Iterator[Doubt]:
    """Yield those that would move the ceiling of memory, which is *wall*."""
    shared_bytes, processes = _shared_bytes(record, wall)
    if share_of_room(wall, shared_bytes) > MATERIAL_RATIO:
        yield Doubt(
            kind=DoubtKind.STEP_HAZARD,
            statement=(
                f"The {units.count(processes)} processes of the target share up to"
                f" {units.size(shared_bytes)} of memory. If they were forked, writes copy these pages"
                f" (copy-on-write), which would use {units.share(share_of_room(wall, shared_bytes))}"
                " of the headroom at once."
            ),
            remedy=(
                "Start workers with exec instead of fork, or freeze the garbage collector before the"
                " fork (gc.freeze in Python); then measure again."
            ),
        )
    table_bytes = TABLES * TABLE_BYTES * wall.ceiling.mid / 2.0
    if share_of_room(wall, table_bytes) > MATERIAL_RATIO:
        yield Doubt(
            kind=DoubtKind.STEP_HAZARD,
            statement=(
                "A connection takes so little memory that hash table growth matters: one doubling on"
                f" the way to {units.middle(wall.ceiling)} connections adds"
                f" {units.size(table_bytes)} at once, {units.share(share_of_room(wall, table_bytes))}"
                " of the headroom."
            ),
            remedy="Measure beyond half of the ceiling, or keep that much memory in reserve.",
        )
    agent = record.manifest.agent
    name = agent.target_name if agent is not None else ""
    limits = () if agent is None else agent.limits
    is_looked_for = any(limit.resource is Resource.HEAP for limit in limits)
    if name in HEAP_CAPS and not is_looked_for and wall.limit.scope != "declared":
        yield Doubt(
            kind=DoubtKind.STEP_HAZARD,
            statement=(
                f"The {name} heap has a limit of its own that the agent did not read:"
                f" {HEAP_CAPS[name]}. The ceiling uses {units.size(wall.limit.value or 0.0)} from"
                f" {wall.limit.source}."
            ),
            remedy="Declare the heap limit as limits.memory in the target file, and plan again.",
        )


def garbage_doubts(record: RunRecord, walls: Sequence[Wall]) -> Iterator[Doubt]:
    """Yield that a load added so little memory that much of it may be garbage: for one of the *walls*."""
    garbage = garbage_bytes(record.manifest.agent)
    held = [w.used_at_highest - w.used_at_baseline for w in walls if w.resource in HELD_IN]
    added_bytes = next(iter(held), 0.0)
    ratio = garbage_ratio(garbage, added_bytes)
    if ratio <= MATERIAL_RATIO:
        return
    yield Doubt(
        kind=DoubtKind.STEP_HAZARD,
        statement=(
            f"The runtime of the target collects no garbage before some {units.size(garbage)} of it have"
            f" come together, and the tested load added {units.size(added_bytes)}: up to"
            f" {units.share(ratio)} of the cost of a connection may be garbage that comes once, and the"
            " capacity nearer to the upper end."
        ),
        remedy=(
            "Plan with the safe capacity; for a closer forecast measure with a load that adds several"
            " times as much memory (profile thorough, or fraction in the profile)."
        ),
    )


def reused_memory(found: Walls, windows: Sequence[Window], capacity: Estimate) -> Iterator[Doubt]:
    """Yield that connections took next to no memory, where memory could well be full before *capacity*."""
    wall = next((each for each in found.ladder if each.resource is Resource.MEMORY), None)
    flat = next((each for each in found.no_ceiling if each.resource is Resource.MEMORY), None)
    limit = wall.limit if wall is not None else flat.limit if flat is not None else None
    used = [window.mean[Resource.MEMORY] for window in windows if Resource.MEMORY in window.mean]
    reached = wall.ceiling.mid if wall is not None else math.inf
    if limit is None or limit.value is None or not used or not min(reached, capacity.mid) > 0.0:
        return
    room_bytes = limit.value - min(used)
    each_bytes = room_bytes / reached
    if each_bytes >= REUSED_BYTES or room_bytes >= USUAL_BYTES * capacity.mid:
        return
    yield Doubt(
        kind=DoubtKind.STEP_HAZARD,
        statement=(
            f"Memory of the target rose by only {units.size(each_bytes)} a connection. It uses again what it kept"
            " of connections before this run, or what it set aside when it started; what a connection takes when"
            f" that is used up is not known, and {units.size(room_bytes / capacity.mid)} each would fill the limit"
            f" of {units.size(limit.value)} at the capacity."
        ),
        remedy=(
            "Restart the target, and measure again before anybody loads it; what it sets aside when it starts"
            " (nginx: worker_connections) is no cause for concern."
        ),
    )


def _shared_bytes(record: RunRecord, wall: Wall) -> tuple[float, int]:
    """Return by how much processes' resident sets count pages twice, in the middle; and how many

    processes there are. Where memory is that sum anyway, copies would not add to it.
    """
    read = [
        (sample.gauges["resident_bytes"] - sample.used[Resource.MEMORY], sample.gauges["processes"])
        for sample in record.samples
        if {"resident_bytes", "processes"} <= set(sample.gauges)
        and is_plausible(sample.gauges["resident_bytes"])
        and 2.0 <= sample.gauges["processes"] <= 1e6
        and is_plausible(sample.used.get(Resource.MEMORY, UNREAD))
    ]
    if not read or wall.limit.scope != "cgroup":
        return 0.0, 0
    shared_bytes = float(median([shared for shared, _ in read]))
    return max(0.0, shared_bytes), round(float(median([count for _, count in read])))


def share_of_room(wall: Wall, amount: float) -> float:
    """Return *amount* over what lies between the use at baseline and the limit."""
    room = (wall.limit.value or 0.0) - wall.cost.baseline.mid
    return min(1.0, amount / room) if room > 0.0 else 0.0
