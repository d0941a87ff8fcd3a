"""The chart of connections over time: what was offered, what was open, where it failed."""

import math
from itertools import pairwise

from capacity.domain import units
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.planning.evidence.windows import plateau_of
from capacity.reporting.document import Figure
from capacity.reporting.drawing.axis import Axis, Point
from capacity.reporting.drawing.svg import Line, Mark, Moment, Span, Tone, legend, plot
from capacity.reporting.words import reason

_MOST_MOMENTS = 12
_MOST_BANDS = 150
"""More plateaus than this would be thinner than a line: then none is shaded."""
_GAP_S = 5.0
"""Counts come once a second; a hole longer than this is shown as one."""
_SHOWN_EVENTS = frozenset(
    {"worker_lost", "target_restarted", "agent_lost", "agent_back", "guard", "problem", "aborted"}
)


def connections_figure(record: RunRecord) -> Figure | None:
    """Return the chart; None when neither a step nor a sample was recorded."""
    start = record.manifest.started_at
    label, points = _measured(record)
    offered = _offered(record)
    marks: list[Mark] = [*_plateaus(record)]
    if offered:
        marks.append(Line(label="offered", points=offered, tone=Tone.OFFERED))
    if points:
        marks.append(Line(label=label, points=points, tone=Tone.MEASURED))
    if not offered and not points:
        return None
    marks += _moments(record)
    values = [y for _, y in (*offered, *points) if y is not None]
    caption = "Connections over time"
    return Figure(
        caption=caption,
        svg=plot(
            "timeline",
            title=caption,
            description=(
                f"{units.counted(len(record.steps), 'step')} from"
                f" {units.moment(start)}; shaded where the plateau was measured."
            ),
            x=Axis(
                label="time since the start of the run",
                high=max(1.0, *(x for x, _ in (*offered, *points))),
                text=units.duration,
                is_time=True,
            ),
            y=Axis(
                label="connections",
                high=max(1.0, *values) * 1.15 if values else 1.0,
                text=units.number,
            ),
            marks=marks,
        ),
        table=None,
        legend=legend(marks),
    )


def _ended_at(record: RunRecord) -> float:
    """Return the last moment that anything was recorded at."""
    return max(
        [
            record.manifest.started_at,
            *(point.at for point in record.points),
            *(step.plateau_ended_at or step.started_at for step in record.steps),
            *(event.at for event in record.events),
        ]
    )


def _offered(record: RunRecord) -> list[Point]:
    start = record.manifest.started_at
    ends = [*(step.started_at for step in record.steps[1:]), _ended_at(record)]
    return [
        (at - start, float(step.step.connections))
        for step, end in zip(record.steps, ends, strict=False)
        for at in (step.started_at, end)
    ]


def _measured(record: RunRecord) -> tuple[str, list[Point]]:
    """Return the best count of open connections there is, and whose count it is."""
    start = record.manifest.started_at
    if record.points:
        counts = [(point.at - start, float(point.open_connections)) for point in record.points]
        return "open, counted by the generator", _with_gaps(counts)
    offset = record.manifest.clock_offset
    began = start + (offset.offset_s if offset is not None else 0.0)
    censused = [
        (sample.at - began, sample.used[Resource.APPLICATION_CONNECTIONS])
        for sample in record.samples
        if math.isfinite(sample.used.get(Resource.APPLICATION_CONNECTIONS, math.nan))
    ]
    if censused:
        return "open, counted on the target", _with_gaps([(x, y) for x, y in censused if x >= 0])
    points: list[Point] = []
    for step in record.steps:
        if step.load is not None and (plateau := plateau_of(step)) is not None:
            points += [(at - start, step.load.connections) for at in plateau]
            points.append((plateau[1] - start, None))
    return "open, mean of the plateau", points


def _with_gaps(counts: list[tuple[float, float]]) -> list[Point]:
    """Return the line of *counts*, broken where a count is missing between two."""
    points: list[Point] = list(counts[:1])
    for (before_s, _), (at_s, value) in pairwise(counts):
        if at_s - before_s > _GAP_S:
            points.append((before_s, None))
        points.append((at_s, value))
    return points


def _plateaus(record: RunRecord) -> list[Span]:
    start = record.manifest.started_at
    if len(record.steps) > _MOST_BANDS:
        return []
    return [
        Span(
            label="plateau, used" if step.void is None else "plateau, void",
            x_from=plateau[0] - start,
            x_to=plateau[1] - start,
            tone=Tone.USED if step.void is None else Tone.VOID,
        )
        for step in record.steps
        if (plateau := plateau_of(step)) is not None
    ]


def _moments(record: RunRecord) -> list[Moment]:
    start = record.manifest.started_at
    moments = [
        Moment(
            label="failures in the step",
            x=step.started_at - start,
            note=f"✕ {units.count(sum(step.failures.values()) + step.lost)}",
            tone=Tone.FAILURE,
        )
        for step in record.steps
        if sum(step.failures.values()) + step.lost
    ]
    moments += [
        Moment(label="event", x=event.at - start, note=reason(event.kind), tone=Tone.OFFERED)
        for event in record.events
        if event.kind in _SHOWN_EVENTS
    ]
    return moments[:_MOST_MOMENTS]
