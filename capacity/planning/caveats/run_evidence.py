"""Reasons to distrust a plan that lie in what the run ran into, and in what it did not answer."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from capacity.domain import units
from capacity.domain.caveats import OFF_LINE_RATIO, Doubt, DoubtKind
from capacity.domain.observation import CutOffKind, StepObservation
from capacity.domain.plan import MetLimit, NoCeiling, Wall
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.run import LIMIT_CHANGED, LIMITS_UNREAD, RunRecord
from capacity.domain.words import RESOURCES
from capacity.planning.bottlenecks.ceilings import Walls
from capacity.planning.bottlenecks.draws import READ_AT_ONLY
from capacity.planning.bottlenecks.latency_objectives import LatencyUse
from capacity.planning.evidence.plausible import UNREAD, is_plausible
from capacity.planning.evidence.windows import offset_of

HELD = (
    Resource.MEMORY,
    Resource.HOST_MEMORY,
    Resource.THREADS,
    Resource.DESCRIPTORS,
)
"""Resources whose use in a ramp is that of the connections open so far; flows also pay for arrivals."""

_REMEDIES = {
    CutOffKind.REFUSED: "Find this limit in the target's configuration and declare it under limits;"
    " if it is a per-client limit, set source_addresses and measure again.",
    CutOffKind.NOT_REACHED: "Find this limit in the target's configuration and declare it under limits;"
    " if it is a per-client limit, set source_addresses and measure again.",
    CutOffKind.SILENT: "Check the target's log and threads for what it waited on; if it hit a limit, find"
    " that limit and declare it under limits.",
    CutOffKind.LOST: "Check the target's log at that time for timeouts, limits and crashes.",
    CutOffKind.DIED: "Check the target's log and the kernel log for why it exited, and fix that first.",
    CutOffKind.OBJECTIVE: "The SLO limits the capacity; measure a level between the two to narrow the range.",
    CutOffKind.SATURATED: "Find the resource of the target that is saturated at this load; measure a"
    " level between the two to narrow the range.",
    CutOffKind.UNSERVED: "Look for what lies between (NAT, balancer, proxy: their idle and age time-outs)"
    " and in the target's log for why it serves these connections no more; a level between the two"
    " narrows the range.",
    CutOffKind.GUARDED: "Raise this limit, or accept it as the capacity.",
}


def evidence_doubts(
    record: RunRecord,
    found: Walls,
    met: Sequence[MetLimit],
    latencies: Sequence[LatencyUse],
) -> Iterator[Doubt]:
    """Yield the doubts that what the run met gives rise to, gravest first."""
    yield from _about_met(met)
    yield from _about_objectives(found, latencies)
    yield from _about_unread(found.no_ceiling, {use.limit.resource for use in latencies})
    yield from _about_unfinished(record, found.ladder)
    yield from _about_changes(record)


def changed_limits(record: RunRecord) -> list[Limit]:
    """Return the limits that were set anew during the run, as they were last."""
    found: dict[tuple[Resource, str, str], Limit] = {}
    for event in record.events:
        limit = _limit(event.detail.get("limit")) if event.kind == LIMIT_CHANGED else None
        if limit is not None:
            found[limit.place] = limit
    return list(found.values())


def _about_met(met: Sequence[MetLimit]) -> Iterator[Doubt]:
    if not met:
        return
    first = met[0]
    between = (
        f"At {units.count(first.failed)} connections"
        if first.held == first.failed
        else f"Between {units.count(first.held)} connections (held) and"
        f" {units.count(first.failed)} (failed)"
    )
    yield Doubt(
        kind=DoubtKind.LIMIT_MET,
        statement=f"{between}: {first.statement}.",
        remedy=_REMEDIES[first.kind],
    )


def _about_objectives(found: Walls, latencies: Sequence[LatencyUse]) -> Iterator[Doubt]:
    walls = {wall.resource for wall in found.ladder}
    for use in latencies:
        resource = use.limit.resource
        if resource in walls:
            continue
        reason = next(
            (entry.reason for entry in found.no_ceiling if entry.resource is resource),
            "it was not measured",
        )
        limit_s = use.limit.value or 0.0
        kept = [
            (count, tail_s)
            for count, tail_s in zip(use.connections, use.tails_s, strict=True)
            if tail_s <= limit_s
        ]
        best = (
            f"met up to {units.counted(round(kept[-1][0]), 'connection')}"
            f" ({units.duration(kept[-1][1])} of {units.duration(limit_s)}), unknown beyond"
            if kept
            else "no level with the full workload shows whether it is met"
        )
        yield Doubt(
            kind=DoubtKind.OBJECTIVE_NOT_FORECAST,
            statement=f"The SLO on {RESOURCES[resource]} is not included in this capacity:"
            f" {reason}; {best}.",
            remedy="Measure at least 3 levels with the full workload (levels in the profile), long"
            " enough for the SLO's percentile.",
        )


def _about_unread(
    no_ceiling: Sequence[NoCeiling], objectives: Collection[Resource]
) -> Iterator[Doubt]:
    """Doubt a plan without those limits whose use was read too seldom to tell a cost from it."""
    for entry in no_ceiling:
        if entry.resource in objectives or not entry.reason.startswith(READ_AT_ONLY):
            continue
        yield Doubt(
            kind=DoubtKind.SAMPLES_MISSING,
            statement=f"The limit of {RESOURCES[entry.resource]} is not included in this capacity:"
            f" {entry.reason}.",
            remedy="Raise plateau_s in the profile, so that each level is long enough for every reading of"
            " the agent, or find out why it stopped reading this one.",
        )


def _about_unfinished(record: RunRecord, ladder: Sequence[Wall]) -> Iterator[Doubt]:
    """Doubt lines that the samples of a ramp contradict which was cut off."""
    offset_s = offset_of(record.manifest.clock_offset)
    for step in record.steps:
        if step.cut_off is None or step.void is not None:
            continue
        for wall in ladder:
            if wall.resource in HELD and wall.limit.value:
                yield from _about_ramp(record, step, wall, offset_s)


def _about_ramp(
    record: RunRecord, step: StepObservation, wall: Wall, offset_s: float
) -> Iterator[Doubt]:
    uses = [
        sample.used[wall.resource]
        for sample in record.samples
        if step.started_at <= sample.at - offset_s
        and sample.target_started_at is not None
        and is_plausible(sample.used.get(wall.resource, UNREAD))
    ]
    limit = wall.limit.value or 0.0
    room = limit - wall.cost.baseline.mid
    if not uses or room <= 0.0 or wall.ceiling.mid <= 0.0:
        return
    expected = wall.cost.baseline.mid + room * step.connections_peak / wall.ceiling.mid
    if max(uses) - expected > OFF_LINE_RATIO * room:
        yield Doubt(
            kind=DoubtKind.UNEXPLAINED_USE,
            statement=(
                f"{RESOURCES[wall.resource]} reached {units.amount(max(uses), wall.resource)} in the"
                f" ramp to {units.counted(step.step.connections, 'connection')} that was cut off; the"
                f" linear fit predicts {units.amount(expected, wall.resource)} at"
                f" {units.counted(step.connections_peak, 'connection')}. Usage is not linear there,"
                " and the ceiling is too high."
            ),
            remedy="Measure again with a level just below that count.",
        )


def _about_changes(record: RunRecord) -> Iterator[Doubt]:
    for limit in changed_limits(record):
        value = "unlimited" if limit.state is LimitState.UNLIMITED else "unknown"
        if limit.value is not None:
            value = units.amount(limit.value, limit.resource)
        yield Doubt(
            kind=DoubtKind.LIMIT_CHANGED,
            statement=f"The limit on {RESOURCES[limit.resource]} ({limit.source}) was changed to"
            f" {value} during the run; the plan uses the new value, although part of the usage was"
            " measured under the old one.",
            remedy="Measure again while nobody changes the target.",
        )
    unread = [event for event in record.events if event.kind == LIMITS_UNREAD]
    if unread:
        since_s = unread[-1].detail.get("since_s")
        before = f" {units.duration(since_s)} before" if isinstance(since_s, int | float) else ""
        yield Doubt(
            kind=DoubtKind.SAMPLES_MISSING,
            statement="The agent did not answer when the run ended: the limits are those read last"
            f"{before}, and what was changed since is not known.",
            remedy="Check the agent and the network to it; `capacity audit TARGET --against RUN` tells"
            " which limits are others now.",
        )


def _limit(detail: Any) -> Limit | None:
    """Return a limit from an event; None from one that a damaged record holds."""
    try:
        return Limit(
            resource=Resource(detail["resource"]),
            state=LimitState(detail["state"]),
            value=None if detail["value"] is None else float(detail["value"]),
            scope=str(detail["scope"]),
            source=str(detail["source"]),
            reason=None if detail.get("reason") is None else str(detail["reason"]),
            ports=tuple(int(port) for port in detail.get("ports") or ()),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
