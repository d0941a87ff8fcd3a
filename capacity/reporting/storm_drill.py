"""The storm drills of a run, beside what the plan foretold of them, as a section."""

from capacity.domain import units
from capacity.domain.answers.storm_drill import DrillOutcome, RestoredTime
from capacity.domain.observation import Quantiles
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.planning.advice.storm_drill import drill_outcomes
from capacity.reporting.document import Cell, Row, Section, Table

_COLUMNS = (
    "Clients come back",
    "Cut",
    "50 % restored",
    "95 % restored",
    "99 % restored",
    "Connect rate while clients waited",
    "Connects dropped",
    "Delivery delay p95 of those that stayed",
    "Of those lost",
)
_MOST_PEAKS = 4
_GROWN_RATIO = 1.05
"""Over the use before the cut: less is no peak."""


def storm_drill_sections(record: RunRecord, plan: CapacityPlan | Excuse) -> tuple[Section, ...]:
    """Return the section of the drills; none where a run had none."""
    outcomes = drill_outcomes(record, plan)
    skipped = [event for event in record.events if event.kind == "storm_skipped"]
    if not outcomes and not skipped:
        return ()
    return (
        Section(
            anchor="storm-drill",
            heading="Storm drill",
            paragraphs=(
                *(f"No storm drill: {event.detail.get('reason')}." for event in skipped),
                *(line for outcome in outcomes for line in _lines(outcome)),
            ),
            table=Table(
                columns=_COLUMNS,
                rows=tuple(map(_row, outcomes)),
                numeric=frozenset({1, 2, 3, 4, 6, 8}),
            )
            if outcomes
            else None,
        ),
    )


def in_one_line(outcome: DrillOutcome) -> str:
    """Return a drill for a terminal."""
    times = ", ".join(
        f"{units.share(time.share_ratio)} after"
        f" {'never' if time.measured_s is None else units.duration(time.measured_s)}"
        + (
            f" (foretold {units.duration(time.foretold_s.mid)})"
            if time.foretold_s is not None
            else ""
        )
        for time in outcome.times
    )
    ended = "" if outcome.aborted is None else f"; aborted: {outcome.aborted}"
    return (
        f"storm drill, {outcome.policy}: {units.count(outcome.cut)} of"
        f" {units.counted(outcome.connections, 'connection')} cut; restored: {times}{ended}"
    )


def _lines(outcome: DrillOutcome) -> tuple[str, ...]:
    """Return what a table has no room for."""
    name = f"Drill {outcome.number + 1} ({outcome.policy})"
    lines = []
    if outcome.aborted is not None:
        lines.append(f"{name} was aborted: {outcome.aborted}.")
    missing = outcome.cut - outcome.restored
    if missing:
        lines.append(
            f"{name}: {units.counted(missing, 'client')} had not come back"
            + ("." if outcome.aborted else f" after {units.duration(outcome.longest_s)}.")
        )
    if outcome.is_of_generator:
        lines.append(
            f"{name}: the load generator held the clients up itself; the times are upper bounds. Add a"
            " worker."
        )
    if outcome.why_not_foretold is not None:
        lines.append(f"{name} was not foretold. {outcome.why_not_foretold}")
    if outcome.admission is not None:
        admission = outcome.admission
        lines.append(
            f"{name}: while clients waited, the target held {units.rate(admission.per_s, 'handshakes')},"
            f" bursts of {units.count(admission.burst)}"
            f" ({units.counted(admission.seen, 'connect')} tell)."
        )
    if outcome.refused:
        told = ", ".join(f"{reason} {count}" for reason, count in sorted(outcome.refused.items()))
        lines.append(f"{name}: failed attempts: {told}.")
    lines += [f"{name}: {sign}." for sign in outcome.signs]
    if peaks := _peaks(outcome):
        lines.append(f"{name}: most in use, and before the cut: {peaks}.")
    return tuple(lines)


def _peaks(outcome: DrillOutcome) -> str:
    grown = sorted(
        (
            (most / before if before > 0.0 else 1.0, resource)
            for resource, (before, most) in outcome.peaks.items()
            if most > _GROWN_RATIO * before
        ),
        reverse=True,
    )
    return ", ".join(
        f"{RESOURCES[resource]} {units.amount(outcome.peaks[resource][1], resource)}"
        f" ({units.amount(outcome.peaks[resource][0], resource)})"
        for _ratio, resource in grown[:_MOST_PEAKS]
    )


def _row(outcome: DrillOutcome) -> Row:
    admission = outcome.admission
    return (
        Cell(text=outcome.policy),
        Cell(
            text=units.count(outcome.cut),
            note=f"of {units.counted(outcome.connections, 'connection')}",
        ),
        *(_time(time) for time in outcome.times),
        Cell(
            text="none waited" if admission is None else units.rate(admission.per_s, "connects"),
            note="" if admission is None else f"bursts of {units.count(admission.burst)}",
        ),
        Cell(text="not read" if outcome.overflows is None else units.count(outcome.overflows)),
        Cell(
            text=_p95(outcome.delay_during),
            note=f"{_p95(outcome.delay_before)} before the cut",
        ),
        Cell(text=units.count(outcome.stayed_lost)),
    )


def _time(time: RestoredTime) -> Cell:
    foretold = time.foretold_s
    note = "not foretold"
    if foretold is not None:
        upper = units.duration(foretold.high) if foretold.is_bounded else "never"
        note = (
            f"foretold {units.duration(foretold.mid)} ({units.duration(foretold.low)} to {upper})"
        )
    return Cell(
        text="never" if time.measured_s is None else units.duration(time.measured_s), note=note
    )


def _p95(quantiles: Quantiles | None) -> str:
    return "not measured" if quantiles is None else units.duration(quantiles.p95_s)
