"""Signs of distress that are shares of something: throttled periods, retransmitted segments, stalls.

A share of the newest samples counts, and one that was beyond its bound before the load does not.
"""

from collections.abc import Sequence
from dataclasses import replace

from capacity.domain import units
from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import Sample
from capacity.planning.evidence.counter_growth import grown
from capacity.planning.evidence.effective_limits import effective_limits, known_value
from capacity.planning.safety.trip import RECENT_SAMPLES, Bounds, Trip

LEAST_SEGMENTS = 4000
"""A share of fewer segments says nothing."""
LEAST_RETRANSMITS = 200
"""Others in the target's network namespace lose some as well, where its own are not told."""
BUSY_RATIO = 0.8
"""Of its quota: a target that is throttled while it uses less works in bursts, and is not out of
processor time."""
SHORT_OF_MEMORY_RATIO = 0.8
"""Of the host's memory in use; below, processes that wait for memory have limits of their own."""
LONGEST_THROTTLED_S = 1.0
"""Since the load began, however small the share of each second is."""


def first_share(
    samples: Sequence[Sample],
    limits: Sequence[Limit],
    bounds: Bounds,
    unloaded: int,
    since: int,
) -> Trip | None:
    """Return the first guard on a share that trips; see guards.tripped for *unloaded* and *since*."""
    oldest = max(0, since, len(samples) - 1 - RECENT_SAMPLES)
    if oldest >= len(samples):
        return None
    recent = (samples[oldest], samples[-1])
    # The target's own are summed up every few seconds: what did not grow just now may have before.
    whose = whose_segments(samples)
    trips = _shares_beyond(recent, limits, bounds, whose)
    if trips and unloaded > 1:
        for guard in _shares_beyond((samples[0], samples[unloaded - 1]), limits, bounds, whose):
            trips.pop(guard, None)
    throttled = _throttled_long(samples[0], samples[max(0, unloaded - 1)], samples[-1])
    if throttled is not None:
        trips.setdefault(throttled.guard, throttled)
    if "throttling" in trips and _is_busy(samples[oldest:], limits):
        trips["throttling"] = replace(trips["throttling"], resource=Resource.CPU)
    return next(iter(trips.values()), None)


def _throttled_long(first: Sample, unloaded: Sample, newest: Sample) -> Trip | None:
    """Return the trip of being held up for long, less what was usual before the load."""
    throttled_s = grown(unloaded, newest, "cpu_throttled_s")
    usual_s = grown(first, unloaded, "cpu_throttled_s") or 0.0
    if throttled_s is None:
        return None
    if usual_s and unloaded.at > first.at:
        throttled_s -= usual_s / (unloaded.at - first.at) * (newest.at - unloaded.at)
    if throttled_s <= LONGEST_THROTTLED_S:
        return None
    return Trip(
        guard="throttling",
        number=throttled_s,
        bound=LONGEST_THROTTLED_S,
        statement=f"it was CPU-throttled for {units.duration(throttled_s)} in total"
        f" (bound {units.duration(LONGEST_THROTTLED_S)})",
    )


def _is_busy(recent: Sequence[Sample], limits: Sequence[Limit]) -> bool:
    most = known_value(effective_limits(limits).get(Resource.CPU))
    uses = [sample.used[Resource.CPU] for sample in recent if Resource.CPU in sample.used]
    return bool(most and uses) and sum(uses) / len(uses) >= BUSY_RATIO * (most or 0.0)


def _shares_beyond(
    span: tuple[Sample, Sample], limits: Sequence[Limit], bounds: Bounds, whose: str
) -> dict[str, Trip]:
    """Return the guards on a share of something that trip between two samples, by name."""
    return {
        reading.guard: reading
        for reading in share_readings(span, limits, bounds, whose)
        if reading.number > reading.bound
    }


def whose_segments(samples: Sequence[Sample]) -> str:
    """Return how the counters of segments begin: the target's own where these are told."""
    return "target_" if grown(samples[0], samples[-1], "target_segments_sent", least=1.0) else ""


def share_readings(
    span: tuple[Sample, Sample], limits: Sequence[Limit], bounds: Bounds, whose: str
) -> list[Trip]:
    """Return every guard on a share of something that can be read between two samples.

    *whose* begins the names of the counters of segments: the target's own, or its namespace's.
    """
    pressure = _pressure(*span, limits)
    shares = (
        (
            "throttling",
            "it was CPU-throttled in {} of the quota periods",
            grown(*span, "cpu_throttled_periods"),
            grown(*span, "cpu_periods"),
            bounds.throttled_ratio,
        ),
        (
            "retransmission",
            "{} of the TCP segments it sent were retransmitted",
            grown(*span, f"{whose}retransmits", least=LEAST_RETRANSMITS),
            grown(*span, f"{whose}segments_sent", least=LEAST_SEGMENTS),
            bounds.retransmitted_ratio,
        ),
        ("memory pressure", *pressure, span[1].at - span[0].at, bounds.memory_pressure_ratio),
    )
    return [
        Trip(
            guard=guard,
            number=part / whole,
            bound=bound,
            statement=f"{what.format(units.share(part / whole))} (bound {units.share(bound)})",
        )
        for guard, what, part, whole, bound in shares
        if part is not None and whole
    ]


def _pressure(before: Sample, after: Sample, limits: Sequence[Limit]) -> tuple[str, float | None]:
    """Return what is read of the memory's pressure: its cgroup's where that is what limits it.

    Others in a cgroup without a limit wait for the host's memory as everybody does, and the host's
    is the target's only where it is nearly used up.
    """
    effective = effective_limits(limits)
    memory = effective.get(Resource.MEMORY)
    if memory is not None and memory.scope == "cgroup":
        waited_s = grown(before, after, "cgroup_memory_pressure_some_s")
        return "processes in its cgroup stalled on memory {} of the time (PSI)", waited_s
    most = known_value(effective.get(Resource.HOST_MEMORY))
    used = after.used.get(Resource.HOST_MEMORY)
    if most is not None and used is not None and used < SHORT_OF_MEMORY_RATIO * most:
        return "", None
    waited_s = grown(before, after, "host_memory_pressure_some_s")
    return "processes on its host stalled on memory {} of the time (PSI)", waited_s
