"""
How fast connections were opened so far, and who held them back: the profile, the load generator, its host
or the target.

A ramp takes the time that its pace asks for unless handshakes waited (workload/profiles/connect_rate.py),
arrivals were eased, or nobody had the time to begin. Only what no one else explains is the target's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.observation import StepObservation
from capacity.domain.run import RunRecord
from capacity.planning.costs.admission import HOST_BUSY_RATIO, HOST_CPU_GAUGE, SHORTEST_RAMP_S
from capacity.planning.evidence.plausible import UNREAD, is_plausible
from capacity.planning.evidence.windows import offset_of

HELD_BACK_RATIO = 0.5
"""Of the pace that a ramp was meant to have; at a higher one nothing held it back."""
BY_PROFILE = "the profile's pace of new connections"
BY_ARRIVALS = "the processor time that new connections take of the target"
BY_TARGET = "the rate at which the target accepts connections"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPace:
    """Connections a second that can be opened, and what sets that."""

    per_s: float
    by: str
    lost_s: float = 0.0
    """What the ramps so far took longer than their pace asks for, those that were held back."""


def opening_pace(
    seen: Sequence[StepObservation],
    record: RunRecord,
    *,
    fewest: int,
    profile_per_s: float,
    bearable_per_s: float,
) -> OpeningPace:
    """Return the pace of the next ramp, from the last one of the steps *seen* that opened *fewest*.

    *profile_per_s* is what the profile asks for, *bearable_per_s* what the target's processors allow.
    """
    pace = OpeningPace(per_s=profile_per_s, by=BY_PROFILE)
    lost_s = 0.0
    for step in seen:
        took_s = _ramp_s(step)
        if step.connects < fewest or took_s <= 0.0:
            continue
        meant_s = max(SHORTEST_RAMP_S, step.connects / step.step.connects_per_s)
        pace = OpeningPace(per_s=profile_per_s, by=BY_PROFILE)
        if meant_s < HELD_BACK_RATIO * took_s:
            lost_s += took_s - meant_s
            pace = OpeningPace(per_s=step.connects / took_s, by=_who_held_back(step, record))
    if bearable_per_s < pace.per_s:
        pace = OpeningPace(per_s=bearable_per_s, by=BY_ARRIVALS)
    return OpeningPace(per_s=pace.per_s, by=pace.by, lost_s=lost_s)


def _ramp_s(step: StepObservation) -> float:
    if step.plateau_started_at is None:
        return 0.0
    return step.plateau_started_at - step.started_at - step.step.settle_s - step.held_s


def _who_held_back(step: StepObservation, record: RunRecord) -> str:
    began_at = step.started_at + step.held_s
    ended_at = began_at + _ramp_s(step)
    health = step.generator_opening
    if health is not None and health.is_near_limits:
        return (
            "the load generator, which was busy while connections were opened (scheduling lag p95"
            f" {units.duration(health.lag_p95_s)}, busiest worker at {units.share(health.cpu_ratio)} CPU)"
        )
    if any(event.kind == "eased" and began_at <= event.at <= ended_at for event in record.events):
        return "arrivals that the run itself slowed down at a sign of distress"
    host = _host_cpu_ratio(record, began_at, ended_at)
    if host is not None and host > HOST_BUSY_RATIO:
        shared = ", which the load generator shares," if record.manifest.same_host else ""
        return (
            f"the target's host{shared} whose processors were at {units.share(host)} while connections"
            " were opened"
        )
    return BY_TARGET


def _host_cpu_ratio(record: RunRecord, began_at: float, ended_at: float) -> float | None:
    """Return the mean use of all processors of the target's host, by whomever; None where unread."""
    offset_s = offset_of(record.manifest.clock_offset)
    read = [
        share
        for sample in record.samples
        if began_at <= sample.at - offset_s <= ended_at
        and is_plausible(share := sample.gauges.get(HOST_CPU_GAUGE, UNREAD))
    ]
    return sum(read) / len(read) if read else None
