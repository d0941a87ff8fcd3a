"""What the charts show as measured: the very windows that the fits used."""

from dataclasses import dataclass

from capacity.domain.load import LoadVector
from capacity.domain.observation import StepObservation
from capacity.domain.plan import UnitCost
from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.planning.bottlenecks.latency_objectives import latency_uses
from capacity.planning.evidence.windows import Window, plateau_windows, windows_of_one_life


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Mean use of one resource over the windows of one plateau."""

    step: StepObservation
    load: LoadVector
    used: tuple[float, ...]
    """One mean a window, in the resource's unit."""

    @property
    def mean(self) -> float:
        return sum(self.used) / len(self.used)


def fitted_windows(record: RunRecord) -> list[Window]:
    """Return the windows of the plateaus, by the recorder's clock."""
    offset = record.manifest.clock_offset
    offset_s = offset.offset_s if offset is not None else 0.0
    return windows_of_one_life(plateau_windows(record.steps, record.samples, offset_s))


def measured(record: RunRecord, windows: list[Window], resource: Resource) -> tuple[Measured, ...]:
    """Return what was measured of *resource*, in the order of the steps."""
    found = []
    tails = _tails_s(record, windows, resource) if resource in LATENCIES else {}
    uses: dict[int, list[float]] = {}
    for window in windows:
        if resource in window.mean:
            uses.setdefault(window.step, []).append(window.mean[resource])
    for step in record.steps:
        used = tails.get(step.index) or tuple(uses.get(step.index, ()))
        if used and step.load is not None:
            found.append(Measured(step=step, load=step.load, used=used))
    return tuple(found)


def _tails_s(
    record: RunRecord, windows: list[Window], resource: Resource
) -> dict[int, tuple[float, ...]]:
    """Return the percentile of each step that an objective was held against."""
    return {
        step: (tail_s,)
        for use in latency_uses(record, {window.step for window in windows})
        if use.limit.resource is resource
        for step, tail_s in zip(use.steps, use.tails_s, strict=True)
    }


def fitted(cost: UnitCost, load: LoadVector) -> float:
    """Return the use that the fit expects at *load*."""
    return (
        cost.baseline.mid
        + cost.per_connection.mid * load.connections
        + cost.per_delivery_per_s.mid * load.deliveries_per_s
        + cost.per_request_per_s.mid * load.requests_per_s
        + cost.per_handshake_per_s.mid * load.handshakes_per_s
    )
