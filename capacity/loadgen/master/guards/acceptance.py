"""Whether a step holds what it asked for: all connections open, receiving, and within the SLO."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.observation import StepObservation
from capacity.loadgen.master.guards.blame import refused_clause
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.planning.evidence.unserved_steps import unserved_in, unserved_statement
from capacity.settings.targets.slo import Slo

RECEIVING_RATIO = 0.8
"""Deliveries of a connection over those of the same mix at fewer connections."""
UNSURE_RATIO = 0.5
"""In its place where a plateau is too short for the error of its rate."""
SURE_ERRORS = 2.0
"""Standard errors of a rate by which it is taken as less, or as more, than what was read."""
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
    most deliveries that a connection got for certain in a step before (``surely_received_per_s``).
    """
    asked = observation.step.connections
    if observation.plateau_started_at is None or observation.load is None:
        if observation.connections_peak >= asked and observation.lost:
            return _dropped(observation.lost, asked)
        opened = observation.connections_peak
        if opened >= asked and last.open_connections:
            opened = last.open_connections[
                -1
            ]  # Not all at once, or those of the step before among them.
        return Miss(
            condition="not_all_open",
            number=opened,
            bound=asked,
            statement=f"{units.count(opened)} of {units.counted(asked, 'connection')} were "
            f"open {units.duration(observation.step.ramp_timeout_s)} after the last one was started"
            + refused_clause(last.failures, last.private_failures),
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
    if _is_less(received_per_s, observation, usual_per_s):
        return Miss(
            condition="not_receiving",
            number=received_per_s,
            bound=usual_per_s,
            statement=f"a connection received {units.rate(received_per_s, 'deliveries')} instead of "
            f"{units.rate(usual_per_s, 'deliveries')} with fewer connections",
        )
    return breach_of(last, slo) if slo is not None else None


def surely_received_per_s(observation: StepObservation) -> float:
    """Return the deliveries per second that each connection of a step got, less the error of the rate."""
    if observation.load is None:
        return 0.0
    held = max(observation.step.connections, observation.load.connections)
    received_per_s = observation.load.deliveries_per_s / held
    return max(0.0, received_per_s - _error_per_s(received_per_s, observation))


def _is_less(received_per_s: float, observation: StepObservation, usual_per_s: float) -> bool:
    is_known = observation.delivery_rate_error_ratio is not None
    most_per_s = received_per_s + _error_per_s(received_per_s, observation)
    return most_per_s < (RECEIVING_RATIO if is_known else UNSURE_RATIO) * usual_per_s


def _error_per_s(received_per_s: float, observation: StepObservation) -> float:
    """Return by how much what a connection received may be wrong; unknown, by an update of each subscription.

    Of slow readers, who take what waits for them by slices, then nothing is known.
    """
    if observation.delivery_rate_error_ratio is not None:
        return SURE_ERRORS * observation.delivery_rate_error_ratio * received_per_s
    if observation.step.slow_readers_ratio:
        return math.inf
    return observation.step.subscriptions_per_connection / observation.step.plateau_s


def _dropped(lost: int, asked: int) -> Miss:
    return Miss(
        condition="dropped",
        number=lost,
        bound=0,
        statement=f"{lost} of {units.counted(asked, 'connection')} were dropped while they were held",
    )


def breach_of(merged: MergedCounts, slo: Slo, least: int = LEAST_DURATIONS) -> Miss | None:
    """Return the first objective that was missed, by no fewer durations than *least*."""
    read = objectives_read(merged, slo, least)
    return next((each for each in read if each.number > each.bound), None)


def objectives_read(merged: MergedCounts, slo: Slo, least: int = LEAST_DURATIONS) -> Iterator[Miss]:
    """Yield what was read of each objective with *least* durations, whether or not it was missed."""
    for series in type(slo).model_fields:
        objective = getattr(slo, series)
        histogram = merged.histograms.get(series)
        if objective is None or histogram is None or histogram.total < least:
            continue
        took_s = histogram.quantile_us(objective.quantile) / 1e6
        yield Miss(
            condition=series,
            number=took_s,
            bound=objective.limit_s,
            statement=f"{series.replace('_', ' ')} p{units.number(100 * objective.quantile)} was "
            f"{units.duration(took_s)} (SLO {units.duration(objective.limit_s)})",
        )
