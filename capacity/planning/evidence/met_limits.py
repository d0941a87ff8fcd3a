"""
What the run itself ran into: censored observations of the capacity.

A count that the full mix was held with is a lower bound, one at which the target refused, died, lost
connections, missed an objective or fell behind is an upper bound. A plan never contradicts its run.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from capacity.domain.observation import CutOff, CutOffKind, StepObservation
from capacity.domain.plan import MetLimit
from capacity.domain.resource_facts import COUNTED, LATENCIES
from capacity.domain.resources import Limit, Resource
from capacity.domain.run import RunRecord
from capacity.planning.evidence.effective_limits import effective_limits, known_value
from capacity.planning.evidence.plausible import UNREAD, is_plausible
from capacity.planning.evidence.windows import is_usable, offset_of

EXHAUSTED_RATIO = 0.8
"""Of its limit: a resource that was used so far when the target failed is what gave out."""
_FULL_RATIO = 0.995
"""Likewise of one in whole units, for a target that holds those it has: what is that full admits nobody."""
_SAYS_ITSELF = frozenset({CutOffKind.REFUSED, CutOffKind.NOT_REACHED})
"""Ways to fail that leave those open that were admitted: the target says how many it holds."""


def held_connections(steps: Sequence[StepObservation], below: float = math.inf) -> int:
    """Return the most connections that the full mix was held with; 0 if there were none.

    Only those *below* a count at which the target failed: one that fails at fewer than it held
    before says that those were not its limit, and nothing of how many it holds.
    """
    held = (
        int(step.load.connections)
        for step in steps
        if step.step.is_mix and is_usable(step) and step.load is not None
    )
    return max((count for count in held if count < below), default=0)


def met_limits(record: RunRecord, limits: Sequence[Limit]) -> list[MetLimit]:
    """Return every limit on the capacity along the mix that the run met, lowest first."""
    found = []
    for step in record.steps:
        cut = step.cut_off
        if cut is None or step.void is not None or cut.connections <= 0:
            continue
        if cut.kind is CutOffKind.STOPPED or (
            cut.kind is CutOffKind.GUARDED and cut.resource is None
        ):
            continue
        failed = max(cut.connections, 1)
        if cut.kind not in _SAYS_ITSELF and step.plateau_started_at is None:
            # In a ramp, what was open is known half a second late.
            failed = max(failed, _most_possible(record, step))
        below = held_connections(record.steps, failed)
        if cut.kind in _SAYS_ITSELF:
            admitted = _admitted(record, step, cut)
            below, failed = min(admitted, failed), max(admitted, failed)
        elif (served := _served(step, cut)) > below:
            below = failed = served
        found.append(
            MetLimit(
                kind=cut.kind,
                resource=cut.resource or _exhausted(record, step, cut, limits),
                held=below,
                failed=failed,
                statement=cut.statement,
            )
        )
    return sorted(found, key=lambda met: (met.failed, met.held))


def _most_possible(record: RunRecord, step: StepObservation) -> int:
    """Return the most connections that can have been open in a ramp: no more than were asked for, and no more
    than the step before it left and clients opened or tried to.
    """
    before = [each.step.connections for each in record.steps if each.index == step.index - 1]
    failed_to_open = max(0, sum(step.failures.values()) - step.lost)
    opened = sum(before) + step.connects + failed_to_open
    return min(step.step.connections, opened)


def _served(step: StepObservation, cut: CutOff) -> int:
    """Return how many connections of a step were served while others got nothing at all; 0 unknown.

    Who serves some in full and others never has a count, and is at it. Where some do not even answer a
    ping, what lies between has let go of them, whose rule may be their age.
    """
    if cut.kind is not CutOffKind.UNSERVED or not step.unserved or step.half_open:
        return 0
    return cut.connections - step.unserved


def _admitted(record: RunRecord, step: StepObservation, cut: CutOff) -> int:
    """Return how many connections a target holds along the mix whose cap counts pollers' ones as well.

    Of those the step had its share already, as far as the agent saw them beside the others; and a
    connection of the mix takes more than one. A cap that does not count them, as of servers that close
    idle connections when they run short, admits what was open.
    """
    resource = Resource.APPLICATION_CONNECTIONS
    plateaus = {
        each.index: median(uses)
        for each in record.steps
        if is_usable(each) and (uses := _uses(record, each, resource))
    }
    mixes = [
        each
        for each in record.steps
        if each.index in plateaus and each.step.is_mix and each.load is not None
    ]
    empty = [
        plateaus[each.index]
        for each in record.steps
        if each.index in plateaus and not each.step.connections
    ]
    seen = max(_uses(record, step, resource), default=0.0)
    if not mixes or not empty or seen < cut.connections:
        return max(cut.connections, 1)
    last = max(mixes, key=lambda each: each.step.connections)
    assert last.load is not None
    each_takes = (plateaus[last.index] - empty[0]) / last.load.connections
    if not each_takes >= 1.0:
        return max(cut.connections, 1)
    interval_s = record.manifest.profile.get("poll_interval_s", 1.0)
    pollers = math.ceil(step.step.requests_per_s * float(interval_s))
    interval_s = record.manifest.profile.get("order_interval_s", 1.0)
    traders = math.ceil(step.step.orders_per_s * float(interval_s))
    taken = min(seen, cut.connections + pollers + traders)
    return max(1, math.floor((taken - empty[0]) / each_takes))


def _uses(record: RunRecord, step: StepObservation, resource: Resource) -> list[float]:
    """Return what was used of *resource* from the plateau of a step on, or its ramp, to its end."""
    offset_s = offset_of(record.manifest.clock_offset)
    begin = step.plateau_started_at or step.started_at
    end = step.plateau_ended_at or math.inf
    return [
        use
        for sample in record.samples
        if begin <= sample.at - offset_s <= end
        and is_plausible(use := sample.used.get(resource, UNREAD))
    ]


def bounded_draws(
    drawn: NDArray[np.float64] | None, met: MetLimit, shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the ceilings by replicate within what was met; the last entry is the forecast itself.

    *drawn* are those of a fit, None without one: a fit that lies outside is no evidence any more.
    *shares* are of (0, 1), one a replicate: where nothing is known between the bounds but that they
    are bounds, the ceiling is as likely in each part of the way, in ratios.
    """
    low, high = float(max(met.held, 1)), float(met.failed)
    if drawn is not None and low <= drawn[-1] <= high:
        return np.clip(drawn, low, high)
    return np.append(low * (high / low) ** shares, np.sqrt(low * high))


def _exhausted(
    record: RunRecord, step: StepObservation, cut: CutOff, limits: Sequence[Limit]
) -> Resource:
    """Return what was used up most when the step failed, UNIDENTIFIED where nothing was.

    A target that holds those it has and admits no more has a cap of its own, unless something that is
    counted was full to the last: without descriptors nobody is accepted either.
    """
    offset_s = offset_of(record.manifest.clock_offset)
    # Until the agent saw the target gone; the load comes off at once when a step fails.
    inside = [
        sample
        for sample in record.samples
        if step.started_at <= sample.at - offset_s and sample.target_started_at is not None
    ]
    most: dict[Resource, float] = {}
    for sample in inside:
        for resource, use in sample.used.items():
            most[resource] = max(use, most.get(resource, 0.0))
    ratios = _ratios(most, effective_limits(limits))
    if cut.kind in _SAYS_ITSELF:
        own = Resource.APPLICATION_CONNECTIONS
        full = {one for one in ratios if one in COUNTED and ratios[one] >= _FULL_RATIO}
        return own if own in full or not full else max(full, key=lambda name: ratios[name])
    fullest = max(ratios, key=lambda name: ratios[name], default=None)
    if fullest is None or ratios[fullest] < EXHAUSTED_RATIO:
        return Resource.UNIDENTIFIED
    return fullest


def _ratios(
    used: Mapping[Resource, float], limits: Mapping[Resource, Limit]
) -> dict[Resource, float]:
    return {
        resource: use / most
        for resource, use in used.items()
        if resource not in LATENCIES and (most := known_value(limits.get(resource)))
    }
