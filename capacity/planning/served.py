"""
Whether what was due arrived: a step that delivered less of the mix than steps with fewer connections
is one that the target did not hold, and no evidence of cheap connections.

What is due to a connection is the mean of the full-mix steps below. Feeds are not even: a step is
short only where its rate, with twice its standard error added, is below 95 % of what was due, with
twice that error taken off.
"""

from dataclasses import replace

from capacity.domain import units
from capacity.domain.observation import CutOff, CutOffKind, StepObservation
from capacity.domain.run import RunRecord
from capacity.planning.plausible import is_plausible, is_plausible_load

SERVED_RATIO = 0.95
ERRORS = 2.0


def judged(record: RunRecord) -> RunRecord:
    """Return *record* with its short steps cut off as saturated."""
    short = {**_unserved_before_silence(record.steps), **short_steps(record.steps)}
    if not short:
        return record
    return replace(
        record,
        steps=tuple(
            replace(step, cut_off=short[step.index]) if step.index in short else step
            for step in record.steps
        ),
    )


def short_steps(steps: tuple[StepObservation, ...]) -> dict[int, CutOff]:
    """Return by index how each step was saturated that was."""
    due, due_error, weight = 0.0, 0.0, 0.0
    short: dict[int, CutOff] = {}
    mixes = [step for step in steps if _tells(step)]
    for step in sorted(mixes, key=lambda each: (each.step.connections, each.index)):
        load = step.load
        assert load is not None
        each_per_s = load.deliveries_per_s / load.connections
        error = step.delivery_rate_error_ratio or 0.0
        least_due = SERVED_RATIO * due * max(0.0, 1.0 - ERRORS * due_error)
        if weight and each_per_s * (1.0 + ERRORS * error) < least_due:
            short[step.index] = CutOff(
                kind=CutOffKind.SATURATED,
                statement=f"{units.share(each_per_s / due)} of the updates that were due arrived"
                f" ({units.rate(each_per_s, 'deliveries')} a connection of"
                f" {units.rate(due, 'deliveries')}), at least {units.share(SERVED_RATIO)} have to",
                connections=round(load.connections),
            )
            continue
        begin, end = step.plateau_started_at, step.plateau_ended_at
        seconds = end - begin if begin is not None and end is not None else 0.0
        total = weight + seconds
        if total > 0.0:
            due = (due * weight + each_per_s * seconds) / total
            due_error = (due_error * weight + error * seconds) / total
            weight = total
    return short


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
            statement=f"0 updates arrived on the plateau of"
            f" {units.counted(round(load.connections), 'connection')}, and the target answered"
            " nobody after it",
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
