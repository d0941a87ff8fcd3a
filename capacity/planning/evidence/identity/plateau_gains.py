"""What the watched process gained on each plateau of a run, over what it had without load."""

from collections.abc import Sequence
from dataclasses import replace

from capacity.domain.observation import StepObservation
from capacity.domain.resources import Resource
from capacity.domain.sample import AgentInfo, Sample
from capacity.planning.evidence.identity.count_gains import COUNTS, Rise, gain, rise
from capacity.planning.evidence.plausible import is_plausible
from capacity.planning.evidence.windows import (
    FILLING_PROCESSES,
    RESTART_TOLERANCE_S,
    is_usable,
    plateau_of,
)

INNER_PORTS = "outgoing_ports_inner"
"""Gauge of the agent: of the outgoing ports, those of connections from one process of the target to another."""


def missed_rise(rises: Sequence[Rise]) -> Rise | None:
    """Return the largest rise that was not seen, where that holds of most and of the largest."""
    judged = [found for found in rises if found.is_seen is not None]
    if not judged:
        return None
    largest = max(judged, key=lambda found: found.opened)
    unseen = sum(not found.is_seen for found in judged)
    return largest if not largest.is_seen and 2 * unseen > len(judged) else None


def plateau_rises(
    steps: Sequence[StepObservation],
    samples: Sequence[Sample],
    agent: AgentInfo,
    clock_offset_s: float,
) -> list[Rise]:
    """Return what was gained on each plateau that can be used, over what there was without load."""
    placed = sorted(
        (sample for sample in samples if is_plausible(sample.at)), key=lambda sample: sample.at
    )
    plateaus = [
        (step.load.connections, _between(placed, *plateau, clock_offset_s))
        for step in steps
        if is_usable(step) and step.load is not None and (plateau := plateau_of(step)) is not None
    ]
    if not plateaus:
        return []
    fewest, before = min(plateaus, key=lambda plateau: plateau[0])
    first = min(steps, key=lambda step: step.index)
    if fewest and first.index == 0:
        unloaded = [each for each in placed if each.at - clock_offset_s < first.started_at]
        if any(resource in each.used for each in unloaded for resource in COUNTS):
            fewest, before = 0.0, unloaded
    return [
        _rise_to(before, inside, connections - fewest, agent)
        for connections, inside in plateaus
        if connections > fewest and inside
    ]


def _rise_to(
    before: Sequence[Sample], inside: Sequence[Sample], opened: float, agent: AgentInfo
) -> Rise:
    """Return the rise from before to the samples of a plateau, within one life of the target."""
    before = [sample for sample in before if _is_same_life(sample, inside[-1])]
    sharing = [sample.gauges.get(FILLING_PROCESSES, 0.0) for sample in inside]
    known = len(agent.target_pids)
    processes = (
        max(known, *(round(count) for count in sharing if is_plausible(count))) if known else 0
    )
    found = rise(before, inside, opened=opened, processes=processes)
    outgoing = gain(
        [_leaving(sample) for sample in before],
        [_leaving(sample) for sample in inside],
        Resource.OUTGOING_PORTS,
    )
    if outgoing is None:
        return found
    gained = {**found.gained, Resource.OUTGOING_PORTS: outgoing}
    return Rise(opened=opened, gained=gained, is_seen=found.is_seen, unknown=found.unknown)


def _leaving(sample: Sample) -> Sample:
    """Return the sample without the ports of connections that lead to the target itself."""
    ports = sample.used.get(Resource.OUTGOING_PORTS)
    if ports is None:
        return sample
    left = ports - sample.gauges.get(INNER_PORTS, 0.0)
    return replace(sample, used={**sample.used, Resource.OUTGOING_PORTS: left})


def _between(
    placed: Sequence[Sample], begin: float, end: float, clock_offset_s: float
) -> list[Sample]:
    return [
        sample
        for sample in placed
        if begin <= sample.at - clock_offset_s <= end and sample.target_started_at is not None
    ]


def _is_same_life(one: Sample, other: Sample) -> bool:
    starts = one.target_started_at, other.target_started_at
    return (
        starts[0] is not None
        and starts[1] is not None
        and abs(starts[0] - starts[1]) <= RESTART_TOLERANCE_S
    )
