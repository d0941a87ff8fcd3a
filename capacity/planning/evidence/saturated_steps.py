"""
Whether what was due arrived: a step that delivered less of the mix than steps with fewer connections
is one that the target did not hold, and no evidence of cheap connections.

What is due to a connection is the mean of the full-mix steps far below, so that a rate that falls bit
by bit is seen as well. Feeds are not even: a step is short only where its rate is below 95 % of what was due by
more than twice the standard error of both, which are independent of each other. Nor are slow feeds: a plateau
begins just before an update of all or just after it, so that on each of its subscriptions a connection
may get one update more or less than the next plateau brings: the larger of both counts, as what came
every half second, from which the standard error is, begins just before an update or just after it as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from capacity.domain import units
from capacity.domain.observation import CutOff, CutOffKind, StepObservation
from capacity.domain.run import RunRecord
from capacity.planning.evidence.failed_trials import failed_trials
from capacity.planning.evidence.plausible import is_plausible, is_plausible_load
from capacity.planning.evidence.unserved_steps import unserved_steps

SERVED_RATIO = 0.95
ERRORS = 2.0
FAR_BELOW_RATIO = 0.4
"""Of a step's connections: what such steps got is what was due. Without one, the lowest step's."""


def judged(record: RunRecord) -> RunRecord:
    """Return *record* with its short steps cut off as saturated."""
    short = {
        **_unserved_before_silence(record.steps),
        **short_steps(record.steps),
        **unserved_steps(record.steps),
        **failed_trials(record),
    }
    if not short:
        return record
    return replace(
        record,
        steps=tuple(
            replace(step, cut_off=step.cut_off or short[step.index])
            if step.index in short
            else step
            for step in record.steps
        ),
    )


def short_steps(steps: Sequence[StepObservation]) -> dict[int, CutOff]:
    """Return by index how each step was saturated that was."""
    served = sorted(
        (_served(step) for step in steps if _tells(step)), key=lambda each: each.connections
    )
    short: dict[int, CutOff] = {}
    full = 0.0
    for each in served[1:]:
        below = [
            other
            for other in served
            if other.connections <= FAR_BELOW_RATIO * each.connections and other.index not in short
        ] or served[:1]
        seconds = sum(other.seconds for other in below)
        due = sum(other.each_per_s * other.seconds for other in below) / seconds
        error = sum(other.error * other.seconds for other in below) / seconds
        one_more_per_s = sum(other.subscriptions for other in below) / seconds
        unsure_due = SERVED_RATIO * max(ERRORS * error * due, one_more_per_s)
        unsure_got = max(ERRORS * each.error * each.each_per_s, each.subscriptions / each.seconds)
        if each.each_per_s + math.hypot(unsure_due, unsure_got) < SERVED_RATIO * due:
            short[each.index] = CutOff(
                kind=CutOffKind.SATURATED,
                statement=f"only {units.share(each.each_per_s / due)} of the expected updates arrived"
                f" ({units.rate(each.each_per_s, 'deliveries')} per connection instead of"
                f" {units.rate(due, 'deliveries')}); at least {units.share(SERVED_RATIO)} must",
                connections=round(each.connections),
            )
        else:
            full = each.connections
    # A step that was disturbed is none that the target cannot hold: the same load, or a higher one, was
    # served in full.
    return {
        each.index: short[each.index]
        for each in served
        if each.index in short and each.connections > full
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """What a connection got on one plateau of the full mix."""

    index: int
    connections: float
    each_per_s: float
    error: float
    """Relative standard error of the rate."""
    subscriptions: float
    """Of one connection."""
    seconds: float


def _served(step: StepObservation) -> _Served:
    load, begin, end = step.load, step.plateau_started_at, step.plateau_ended_at
    assert load is not None
    assert begin is not None
    assert end is not None
    return _Served(
        index=step.index,
        connections=load.connections,
        each_per_s=load.deliveries_per_s / load.connections,
        error=step.delivery_rate_error_ratio or 0.0,
        subscriptions=step.step.subscriptions_per_connection,
        seconds=end - begin,
    )


def _unserved_before_silence(steps: tuple[StepObservation, ...]) -> dict[int, CutOff]:
    """Return the steps on which nothing arrived any more when the target answered nobody later."""
    found: dict[int, CutOff] = {}
    silent = next((n for n, step in enumerate(steps) if _is_silent(step)), 0)
    for step in reversed(steps[:silent]):
        load = step.load
        if not _tells(step) or load is None:
            continue
        if load.deliveries_per_s > 0.0:
            break
        found[step.index] = CutOff(
            kind=CutOffKind.SILENT,
            statement=f"no update arrived on the plateau of"
            f" {units.counted(round(load.connections), 'connection')}, and the target did not respond"
            " after it",
            connections=round(load.connections),
        )
    return found


def _is_silent(step: StepObservation) -> bool:
    return step.cut_off is not None and step.cut_off.kind is CutOffKind.SILENT


def _tells(step: StepObservation) -> bool:
    load = step.load
    if not step.step.is_mix or step.void is not None or step.cut_off is not None or load is None:
        return False
    begin, end = step.plateau_started_at, step.plateau_ended_at
    if begin is None or end is None or not begin < end or not load.connections > 0.0:
        return False
    if not is_plausible_load(load) or not is_plausible(step.delivery_rate_error_ratio or 0.0):
        return False
    return step.step.connections > 0 and step.step.subscriptions_per_connection > 0
