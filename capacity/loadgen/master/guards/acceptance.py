"""Whether a step holds what it asked for: all connections open, receiving, and within the SLO."""

from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.observation import StepObservation
from capacity.loadgen.master.guards.blame import refused_clause
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.planning.evidence.unserved_steps import unserved_in, unserved_statement
from capacity.settings.targets.slo import Slo

RECEIVING_RATIO = 0.8
"""Deliveries of a connection over those of the same mix at fewer connections."""
LEAST_DURATIONS = 20
"""Fewer of them say nothing of a quantile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """The condition that did not hold, with its evidence."""

    condition: str
    """not_all_open, dropped, not_served, not_receiving, or the objective of the target file's slo."""
    number: float
    bound: float
    statement: str


def miss_of(
    observation: StepObservation, last: MergedCounts, slo: Slo | None, usual_per_s: float
) -> Miss | None:
    """Return what the step missed first, None if it passed.

    *last* is the merged of its last phase, the plateau's where it came to that; *usual_per_s* the
    most deliveries that a connection got in the steps before.
    """
    asked = observation.step.connections
    if observation.plateau_started_at is None or observation.load is None:
        if observation.connections_peak >= asked and observation.lost:
            return _dropped(observation.lost, asked)
        opened = observation.connections_peak
        if opened > asked and last.open_connections:
            opened = last.open_connections[-1]  # Those of the step before are among the peak.
        return Miss(
            condition="not_all_open",
            number=opened,
            bound=asked,
            statement=f"{opened} of {units.counted(asked, 'connection')} were "
            f"open {units.duration(observation.step.ramp_timeout_s)} after the last one was started"
            + refused_clause(last.failures),
        )
    if lost := last.total("lost"):
        return _dropped(lost, asked)
    if unserved := unserved_in(observation):
        return Miss(
            condition="not_served",
            number=unserved,
            bound=0,
            statement=unserved_statement(observation),
        )
    received_per_s = observation.load.deliveries_per_s / max(1.0, observation.load.connections)
    if received_per_s < RECEIVING_RATIO * usual_per_s:
        return Miss(
            condition="not_receiving",
            number=received_per_s,
            bound=usual_per_s,
            statement=f"a connection received {units.rate(received_per_s, 'deliveries')} instead of "
            f"{units.rate(usual_per_s, 'deliveries')} with fewer connections",
        )
    return breach_of(last, slo) if slo is not None else None


def _dropped(lost: int, asked: int) -> Miss:
    return Miss(
        condition="dropped",
        number=lost,
        bound=0,
        statement=f"{lost} of {units.counted(asked, 'connection')} were dropped while they were held",
    )


def breach_of(merged: MergedCounts, slo: Slo, least: int = LEAST_DURATIONS) -> Miss | None:
    """Return the first objective that was missed, by no fewer durations than *least*."""
    for series in type(slo).model_fields:
        objective = getattr(slo, series)
        histogram = merged.histograms.get(series)
        if objective is None or histogram is None or histogram.total < least:
            continue
        took_s = histogram.quantile_us(objective.quantile) / 1e6
        if took_s > objective.limit_s:
            return Miss(
                condition=series,
                number=took_s,
                bound=objective.limit_s,
                statement=f"{series.replace('_', ' ')} p{units.number(100 * objective.quantile)} was "
                f"{units.duration(took_s)} (SLO {units.duration(objective.limit_s)})",
            )
    return None
