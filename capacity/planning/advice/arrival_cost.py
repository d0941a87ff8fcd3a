"""What an arrival costs the tested target, from the ramps of its run; or why nobody can tell."""

from capacity.domain import units
from capacity.domain.answers.sizing import ArrivalCost, Unanswered
from capacity.domain.estimates import Estimate
from capacity.domain.plan import CapacityPlan
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.models.operations.arrival_cost import arrival_cost_s
from capacity.models.operations.arrival_memory import ArrivalMemory, arrival_memory
from capacity.planning.costs.admission import admission_per_s
from capacity.planning.costs.ramps import CPU_RESOURCES, excesses_s, ramps, smallest_backlog
from capacity.planning.evidence.effective_limits import known_value
from capacity.planning.evidence.plausible import UNREAD, is_plausible
from capacity.planning.evidence.windows import offset_of, restarts

FEWEST_RAMPS = 3
FEWEST_ARRIVALS = 50


def arrival_cost(record: RunRecord, plan: CapacityPlan) -> ArrivalCost | Unanswered:
    """Return the CPU seconds of one arrival, its subscription included."""
    changes = restarts(record.samples)
    if changes:
        return Unanswered(
            reason=f"The target restarted {units.counted(changes, 'time')} during the run.",
            remedy="Find out why it restarts, and measure again.",
        )
    found = [ramp for ramp in ramps(record) if ramp.opened > 0]
    arrivals = sum(ramp.opened for ramp in found)
    if len(found) < FEWEST_RAMPS or arrivals < FEWEST_ARRIVALS:
        return Unanswered(
            reason=(
                f"{units.counted(arrivals, 'connection')} opened in"
                f" {units.counted(len(found), 'ramp')} with agent samples; the cost of a connect needs"
                f" {FEWEST_ARRIVALS} in {FEWEST_RAMPS}."
            ),
            remedy=f"Use a profile with at least {FEWEST_RAMPS} levels, each of more connections.",
        )
    costs = {
        wall.resource: cost
        for wall in plan.ladder
        if wall.resource in CPU_RESOURCES
        and (cost := _cost(record, plan, wall.resource)) is not None
    }
    admission = admission_per_s(record, plan)
    memory = _memory(record)
    if not costs and admission is None and memory is None:
        return Unanswered(
            reason=(
                f"During {units.counted(len(found), 'ramp')} with"
                f" {units.counted(arrivals, 'connect')} the target used no more CPU than its steady"
                " load explains, or its CPU was not read."
            ),
            remedy="Raise connects_per_s in the profile so that the cost of connects shows, and measure again.",
        )
    clean = [ramp for ramp in found if ramp.is_clean]
    return ArrivalCost(
        cpu_s=costs,
        arrivals=arrivals,
        ramps=len(found),
        tested_per_s=max((ramp.opened_per_s for ramp in clean), default=0.0),
        backlog=smallest_backlog(record.samples),
        admitted_per_s=record.manifest.target.arrival_limit_per_s,
        admission_per_s=admission,
        memory_bytes=None if memory is None else memory.each_bytes,
        memory_held_s=None if memory is None else memory.held_s,
        at_once=None if memory is None else _at_once(plan, memory),
    )


def _memory(record: RunRecord) -> ArrivalMemory | None:
    """Return the memory that arrivals take for a while, from all samples of the run."""
    offset_s = offset_of(record.manifest.clock_offset)
    placed = (point for point in record.points if is_plausible(point.at))
    points = sorted(placed, key=lambda point: point.at)
    read = sorted(
        (sample.at - offset_s, sample.used[Resource.MEMORY])
        for sample in record.samples
        if is_plausible(sample.at) and is_plausible(sample.used.get(Resource.MEMORY, UNREAD))
    )
    return arrival_memory(
        [at for at, _ in read],
        [use for _, use in read],
        [point.at for point in points],
        [float(point.open_connections) for point in points],
    )


def _at_once(plan: CapacityPlan, memory: ArrivalMemory) -> Estimate | None:
    """Return how many that arrive at once fit into memory; None where its limit is not known."""
    wall = next((wall for wall in plan.ladder if wall.resource is Resource.MEMORY), None)
    limit = None if wall is None else known_value(wall.limit)
    if wall is None or limit is None:
        return None
    spare, each = max(0.0, limit - wall.used_at_baseline), memory.each_bytes
    low, mid, high = (
        spare / (taken + memory.kept_bytes) for taken in (each.high, each.mid, each.low)
    )
    return Estimate(low=low, mid=mid, high=high, confidence=each.confidence)


def _cost(record: RunRecord, plan: CapacityPlan, resource: Resource) -> Estimate | None:
    unit_cost = next(wall.cost for wall in plan.ladder if wall.resource is resource)
    read = excesses_s(record, unit_cost)
    if sum(ramp.opened > 0 for ramp, _ in read) < FEWEST_RAMPS:
        return None
    cost = arrival_cost_s(
        [taken_s for _, taken_s in read],
        [ramp.opened for ramp, _ in read],
        [ramp.subscribed for ramp, _ in read],
    )
    return cost if cost.high > 0.0 else None
