"""
When to stop a run before it harms its target: signs of distress in the newest samples.

Counters are compared with the first sample of the run, so that old trouble is not charged to it;
what was beyond its bound before the load is not guarded, because the load did not bring it there.
A sign that the agent cannot read guards nothing: it is missing, not good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.resources import COUNTED, Limit, Resource
from capacity.domain.sample import Sample
from capacity.domain.words import RESOURCES
from capacity.planning.effective_limits import effective_limits, known_value

RECENT_SAMPLES = 5
"""Rates are taken over that many intervals: a single one is noise."""
LEAST_SEGMENTS = 1000
"""A share of fewer segments says nothing."""
LEAST_OPENS = 20
_FILLING = COUNTED | {Resource.MEMORY}
_QUEUE = {
    "listen_overflows": "an accept queue in its network namespace overflowed",
    "listen_drops": "a listening socket in its network namespace dropped connects",
    "tcp_memory_pressures": "its kernel ran short of memory for TCP",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far a guarded run may take its target."""

    used_ratio: float
    """Of a limit of a counted resource, or of memory."""
    throttled_ratio: float
    """Of the CPU quota's periods."""
    retransmitted_ratio: float
    """Of the segments that the target's network namespace sends."""
    memory_pressure_ratio: float
    """Of the time in which some process waited for memory."""
    failed_opens_ratio: float
    """Of the connections that a step asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A bound that was passed."""

    guard: str
    statement: str
    """What was seen, with its number and its bound."""


def tripped(samples: Sequence[Sample], limits: Sequence[Limit], bounds: Bounds) -> Trip | None:
    """Return the first guard that the newest of a run's *samples* trip, None while all is well."""
    if len(samples) < 2:
        return None
    first, newest = samples[0], samples[-1]
    if first.target_started_at != newest.target_started_at:
        return None  # Another process counts anew; the record says that it was restarted.
    recent = samples[max(0, len(samples) - 1 - RECENT_SAMPLES)]
    return (
        _overflow(first, newest)
        or _full(samples, limits, bounds.used_ratio)
        or _share(
            ("throttling", "it was throttled in {} of the periods of its CPU quota"),
            _grown(recent, newest, "cpu_throttled_periods"),
            _grown(recent, newest, "cpu_periods"),
            bounds.throttled_ratio,
        )
        or _share(
            ("retransmission", "{} of the segments it sent were sent again"),
            _grown(recent, newest, "retransmits"),
            _grown(recent, newest, "segments_sent"),
            bounds.retransmitted_ratio,
            least=LEAST_SEGMENTS,
        )
        or _pressure(recent, newest, bounds.memory_pressure_ratio)
    )


def refusing(failed: int, opened: int, bounds: Bounds) -> Trip | None:
    """Return the guard that too many failed attempts to connect trip, of one step."""
    asked = failed + opened
    if asked < LEAST_OPENS or failed <= asked * bounds.failed_opens_ratio:
        return None
    return Trip(
        guard="refusal",
        statement=f"{units.count(failed)} of {units.counted(asked, 'connection')} failed to open,"
        f" at most {units.share(bounds.failed_opens_ratio)} may",
    )


def _overflow(first: Sample, newest: Sample) -> Trip | None:
    for counter, what in _QUEUE.items():
        grown = _grown(first, newest, counter)
        if grown is not None and grown > 0:
            return Trip(guard="overflow", statement=f"{what} {units.counted(grown, 'time')}")
    return None


def _full(samples: Sequence[Sample], limits: Sequence[Limit], bound: float) -> Trip | None:
    before, now = _readings(samples[:RECENT_SAMPLES]), _readings(samples[-RECENT_SAMPLES:])
    for resource, limit in effective_limits(limits).items():
        most = known_value(limit)
        if resource not in _FILLING or not most or resource not in now or resource not in before:
            continue
        if before[resource] <= bound * most < now[resource]:
            return Trip(
                guard="limit",
                statement=f"{RESOURCES[resource]}: {units.amount(now[resource], resource)} of"
                f" {units.amount(most, resource)} in use, at most {units.share(bound)} may be",
            )
    return None


def _readings(samples: Sequence[Sample]) -> Mapping[Resource, float]:
    used: dict[Resource, float] = {}
    for sample in samples:
        used.update(sample.used)
    return used


def _share(
    words: tuple[str, str],
    part: float | None,
    whole: float | None,
    bound: float,
    *,
    least: int = 1,
) -> Trip | None:
    if part is None or whole is None or whole < least or part <= whole * bound:
        return None
    guard, what = words
    return Trip(
        guard=guard,
        statement=f"{what.format(units.share(part / whole))}, at most {units.share(bound)} may be",
    )


def _pressure(recent: Sample, newest: Sample, bound: float) -> Trip | None:
    for place in ("cgroup", "host"):
        waited_s = _grown(recent, newest, f"{place}_memory_pressure_some_s")
        if waited_s is not None:
            return _share(
                ("memory pressure", f"processes of its {place} waited for memory {{}} of the time"),
                waited_s,
                newest.at - recent.at,
                bound,
                least=0,
            )
    return None


def _grown(before: Sample, after: Sample, counter: str) -> float | None:
    """Return what a counter has grown by; None where it is not read, or began anew."""
    was, is_now = before.counters.get(counter), after.counters.get(counter)
    return None if was is None or is_now is None or is_now < was else is_now - was
