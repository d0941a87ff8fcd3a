"""Push or poll for the instrument that was watched: what was measured, the model beside it."""

from capacity.domain import units
from capacity.domain.observation import FreshnessFigures, FreshnessPair, StepObservation
from capacity.domain.run import RunRecord
from capacity.models.operations.freshness import (
    FreshnessMeans,
    poll_interval_s_as_fresh,
    polled,
    pushed,
)
from capacity.reporting.document import Cell, Row, Section, Table, cells

HEADING = "Freshness: WebSocket or REST for this feed"
HOW_TO_READ = (
    "One instrument at the same time pushed to one client and polled by another, averaged over the time of "
    "the plateau, so that a silent connection ages. Age: since the newest change that the client held. "
    "Stale: share of the time in which something newer existed. Staleness: 0 while nothing newer existed, "
    "else the time since. Versions behind: changes that it did not have. In brackets the closed forms of a "
    "source that changes at random with the measured rate; a steady source is fresher than that."
)
WAYS = {"pushed": "WebSocket", "polled": "REST"}


def freshness_section(record: RunRecord) -> Section | None:
    """Return the section; None where no step watched an instrument."""
    steps = [step for step in record.steps if step.freshness is not None]
    if not steps:
        return None
    rows = [row for step in steps for row in _rows(step)]
    return Section(
        anchor="freshness",
        heading=HEADING,
        paragraphs=(*_answer(steps[-1].freshness), HOW_TO_READ),
        table=Table(
            columns=(
                "Step",
                "Connections",
                "Over",
                "Age, ms",
                "Peak age, ms",
                "Stale",
                "Staleness, ms",
                "Versions behind",
                "Above the objective",
            ),
            rows=tuple(rows),
            numeric=frozenset({0, 1, 3, 4, 5, 6, 7, 8}),
        ),
    )


def _answer(pair: FreshnessPair | None) -> tuple[str, ...]:
    """Return which way was fresher, and how often one would have to poll to be as fresh."""
    if pair is None or pair.pushed is None or pair.polled is None:
        return ("Only one of the two was heard, so that they cannot be compared.",)
    push, poll = pair.pushed, pair.polled
    told = (
        f"Pushed, the data was stale {units.share(push.stale_share)} of the time; polled every"
        f" {units.duration(pair.poll_interval_s)} {units.share(poll.stale_share)}."
    )
    if push.stale_share >= poll.stale_share:
        return (f"REST was as fresh as WebSocket for this feed at this pace. {told}",)
    if push.stale_share == 0.0:
        return (f"WebSocket was fresher for this feed. {told} No pace of polling is as fresh.",)
    interval_s = poll_interval_s_as_fresh(pair.changes_per_s, push.stale_share)
    needed = (
        f"about every {units.duration(interval_s)} ({units.rate(1.0 / interval_s, 'requests')})"
    )
    fresher = "WebSocket was fresher for this feed."
    return (f"{fresher} {told} To be as fresh, a client would have to poll {needed}.",)


def _rows(step: StepObservation) -> list[Row]:
    pair = step.freshness
    assert pair is not None
    delay = step.delivery_delay.p50_s if step.delivery_delay is not None else None
    models = {
        "pushed": None if delay is None else pushed(pair.changes_per_s, max(delay, 1e-9)),
        "polled": polled(pair.changes_per_s, pair.poll_interval_s, pair.reply_s),
    }
    found = {"pushed": pair.pushed, "polled": pair.polled}
    return [
        _row(step, WAYS[way], figures, models[way])
        for way, figures in found.items()
        if figures is not None
    ]


def _row(
    step: StepObservation, way: str, figures: FreshnessFigures, model: FreshnessMeans | None
) -> Row:
    def with_model(measured: str, expected: str) -> Cell:
        return Cell(text=measured if model is None else f"{measured} ({expected})")

    return (
        *cells(units.step_number(step.index), units.count(step.step.connections), way),
        with_model(
            units.milliseconds(figures.age_s),
            "" if model is None else units.milliseconds(model.age_s),
        ),
        Cell(text=units.milliseconds(figures.peak_age_s)),
        with_model(
            units.share(figures.stale_share),
            "" if model is None else units.share(model.stale_share),
        ),
        with_model(
            units.milliseconds(figures.staleness_s),
            "" if model is None else units.milliseconds(model.staleness_s),
        ),
        with_model(
            f"{figures.version_age:.2f}", "" if model is None else f"{model.version_age:.2f}"
        ),
        Cell(text="" if figures.late_share is None else units.share(figures.late_share)),
    )
