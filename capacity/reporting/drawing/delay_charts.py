"""Delays against connections: the median, the 95th and the 99th percentile of each step."""

from collections.abc import Callable

from capacity.domain import units
from capacity.domain.observation import Quantiles, StepObservation
from capacity.domain.run import RunRecord
from capacity.reporting.document import Figure
from capacity.reporting.drawing.axis import Axis, downsampled
from capacity.reporting.drawing.svg import Dots, Line, Mark, Tone, legend, plot

_MOST_POINTS = 60
_KINDS: tuple[tuple[str, str, Callable[[StepObservation], Quantiles | None]], ...] = (
    ("delivery-delay", "Delivery delay", lambda step: step.arrival_delay or step.delivery_delay),
    ("request-latency", "Request latency", lambda step: step.request_latency),
    ("handshake-time", "Handshake time", lambda step: step.handshake_time),
)
_PERCENTILES: tuple[tuple[str, Callable[[Quantiles], float], Tone], ...] = (
    ("p99", lambda found: found.p99_s, Tone.LIMIT),
    ("p95", lambda found: found.p95_s, Tone.TESTED),
    ("p50", lambda found: found.p50_s, Tone.MEASURED),
)


def delay_figures(record: RunRecord) -> tuple[Figure, ...]:
    """Return a figure for each kind of delay that was measured on a used step."""
    figures = (_figure(record, *kind) for kind in _KINDS)
    return tuple(figure for figure in figures if figure is not None)


def _figure(
    record: RunRecord, name: str, caption: str, of: Callable[[StepObservation], Quantiles | None]
) -> Figure | None:
    found = sorted(
        ((step.load.connections, step.index, quantiles) for step in record.steps
         if step.load is not None and step.void is None and (quantiles := of(step)) is not None),
        key=lambda each: each[:2],
    )  # fmt: skip
    if not found:
        return None
    marks: list[Mark] = []
    for label, percentile, tone in _PERCENTILES:
        points = downsampled(
            [(connections, percentile(each) * 1e3) for connections, _, each in found], _MOST_POINTS
        )
        marks += [
            Line(label=label, points=points, tone=tone),
            Dots(label="", points=points, tone=tone),
        ]
    return Figure(
        caption=f"{caption} by percentile",
        svg=plot(
            name,
            title=f"{caption} by percentile",
            description=(
                f"{units.counted(len(found), 'step')}; the highest p99 is"
                f" {units.duration(max(each.p99_s for *_, each in found))}."
            ),
            x=Axis(
                label="open connections",
                high=max(1.0, found[-1][0]) * 1.05,
                text=units.number,
            ),
            y=Axis(
                label="ms",
                high=max(1e-6, *(each.p99_s * 1e3 for *_, each in found)) * 1.1,
                text=units.number,
            ),
            marks=marks,
        ),
        table=None,
        legend=legend(marks),
    )
