"""
The ramps of a run: how much CPU each took beyond what the fitted lines explain.

The load of a moment within a ramp is the share of the step's plateau that its open connections make
up. A second is added behind the ramp: what was begun in it is done there.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from capacity.domain.load import LoadStep
from capacity.domain.observation import StepObservation
from capacity.domain.plan import UnitCost
from capacity.domain.resources import Resource
from capacity.domain.run import LoadPoint, RunRecord
from capacity.domain.sample import Sample
from capacity.planning.evidence.plausible import is_plausible
from capacity.planning.evidence.windows import is_usable, offset_of

AFTER_S = 1.0
_REFUSALS = ("connect", "handshake", "subscribe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """One ramp on the recorder's clock."""

    step: StepObservation
    began_at: float
    ended_at: float
    opened: int
    subscribed: int
    """Connections that subscribed in it, opened in it or before."""
    samples: tuple[Sample, ...]

    @property
    def opened_per_s(self) -> float:
        return self.opened / max(self.ended_at - self.began_at, 1e-3)

    @property
    def is_clean(self) -> bool:
        """Tell whether no connection failed in the step."""
        return not any(name.startswith(_REFUSALS) for name in self.step.failures)


def ramps(record: RunRecord) -> list[Ramp]:
    """Return the ramps of usable steps in which connections were opened or subscribed."""
    offset_s = offset_of(record.manifest.clock_offset)
    times = [sample.at - offset_s for sample in record.samples]
    steps = {step.index: step for step in record.steps}
    phases = [event for event in record.events if event.kind == "phase"]
    found = []
    for event, following in pairwise(phases):
        step = steps.get(event.detail.get("index", -1))
        if event.detail.get("phase") != "ramp" or step is None or not is_usable(step):
            continue
        before = steps.get(step.index - 1)
        ramp = Ramp(
            step=step,
            began_at=event.at,
            ended_at=following.at,
            opened=step.connects,
            subscribed=_subscribed(step, before.step if before else None),
            samples=_samples_in(record.samples, times, event.at, following.at + AFTER_S),
        )
        if (ramp.opened or ramp.subscribed) and ramp.samples:
            found.append(ramp)
    return found


def excesses_s(record: RunRecord, cost: UnitCost) -> list[tuple[Ramp, float]]:
    """Return each ramp of *record* with its core-seconds above the line of *cost*, where it was read."""
    offset_s = offset_of(record.manifest.clock_offset)
    placed = (point for point in record.points if is_plausible(point.at))
    points = sorted(placed, key=lambda point: point.at)
    return [
        (ramp, taken_s)
        for ramp in ramps(record)
        if (taken_s := excess_s(ramp, points, cost, offset_s)) is not None
    ]


def excess_s(
    ramp: Ramp, points: Sequence[LoadPoint], cost: UnitCost, clock_offset_s: float
) -> float | None:
    """Return the core-seconds of *ramp* above the line of *cost*; None without a reading."""
    load = ramp.step.load
    assert load is not None, "a usable step has a load"
    total_s, is_read = 0.0, False
    for sample in ramp.samples:
        used = sample.used.get(cost.resource)
        if used is None or not is_plausible(used):
            continue
        is_read = True
        at = sample.at - clock_offset_s - sample.interval_s / 2.0
        connections = open_connections_at(points, at)
        share = connections / load.connections if load.connections > 0.0 else 0.0
        line = (
            cost.baseline.mid
            + cost.per_connection.mid * connections
            + cost.per_delivery_per_s.mid * load.deliveries_per_s * share
            + cost.per_request_per_s.mid * load.requests_per_s * share
        )
        total_s += (used - line) * sample.interval_s
    return total_s if is_read else None


def open_connections_at(points: Sequence[LoadPoint], at: float) -> float:
    """Return the open connections, on a straight line between the points around *at*."""
    index = bisect_right(points, at, key=lambda point: point.at)
    if not points or index == 0:
        return float(points[0].open_connections) if points else 0.0
    if index == len(points):
        return float(points[-1].open_connections)
    before, after = points[index - 1], points[index]
    share = (at - before.at) / (after.at - before.at)
    return before.open_connections + share * (after.open_connections - before.open_connections)


def smallest_backlog(samples: Sequence[Sample]) -> float | None:
    """Return the smallest limit of the accept queue that was read."""
    limits = (sample.gauges.get("accept_queue_limit") for sample in samples)
    return min((limit for limit in limits if limit is not None), default=None)


def _subscribed(step: StepObservation, before: LoadStep | None) -> int:
    if not step.step.subscriptions_per_connection:
        return 0
    if before is not None and before.subscriptions_per_connection:
        return step.connects
    return step.step.connections


def _samples_in(
    samples: Sequence[Sample], times: Sequence[float], began_at: float, ended_at: float
) -> tuple[Sample, ...]:
    """Return the samples whose interval reaches into the time given."""
    return tuple(
        sample
        for sample, at in zip(samples, times, strict=True)
        if is_plausible(sample.interval_s) and at > began_at and at - sample.interval_s < ended_at
    )


CPU_RESOURCES = (Resource.CPU, Resource.EVENT_LOOP)
"""Resources that an arrival takes time of."""
