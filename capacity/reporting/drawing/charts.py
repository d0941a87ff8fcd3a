"""Which charts a report has: connections over time, and each resource against connections."""

import math

from capacity.domain import units
from capacity.domain.load import LoadVector
from capacity.domain.plan import CapacityPlan, Excuse, Wall
from capacity.domain.resource_facts import UNITS
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.planning.evidence.windows import Window
from capacity.reporting.document import Figure, Table, cells
from capacity.reporting.drawing.axis import Axis, downsampled
from capacity.reporting.drawing.svg import (
    Area,
    Dots,
    Level,
    Line,
    Mark,
    Span,
    Tone,
    legend,
    plot,
)
from capacity.reporting.measured import Measured, fitted, fitted_windows, measured

_FAR_RATIO = 10.0
"""A ceiling this many times beyond the highest plateau would squeeze the measured dots."""
_MOST_DOTS = 200


def resource_figures(record: RunRecord, plan: CapacityPlan | Excuse) -> tuple[Figure, ...]:
    """Return one figure for each wall; without a plan, one for each resource that was sampled."""
    windows = fitted_windows(record)
    if isinstance(plan, CapacityPlan):
        return tuple(_wall_figure(record, windows, wall, plan) for wall in plan.ladder)
    return tuple(
        _measured_figure(resource, found)
        for resource in Resource
        if (found := measured(record, windows, resource))
    )


def _wall_figure(
    record: RunRecord, windows: list[Window], wall: Wall, plan: CapacityPlan
) -> Figure:
    found, name = measured(record, windows, wall.resource), RESOURCES[wall.resource]
    limit_value, baseline = wall.limit.value, wall.cost.baseline.mid
    assert limit_value is not None, "a wall has a known limit"
    highest = max(
        [float(plan.highest_connections), *(plateau.load.connections for plateau in found)]
    )
    reach = wall.ceiling.mid if math.isfinite(wall.ceiling.mid) else wall.ceiling.low
    is_far = 0 < highest * _FAR_RATIO < reach
    if is_far:
        x_high = highest * 1.5
        on_line = _on_line(wall, plan.mix, x_high)
        y_high = max([on_line, *(max(plateau.used) for plateau in found)]) * 1.15
    else:
        x_high = max(min(wall.ceiling.high, 1.5 * reach), highest, 1.0) * 1.05
        y_high = max([limit_value, *(max(plateau.used) for plateau in found)]) * 1.1
    marks: list[Mark] = [
        Span(label="tested range", x_from=0.0, x_to=highest, tone=Tone.OFFERED),
        *_band(wall, x_high),
        Line(
            label="fit, full workload",
            points=((0.0, baseline), (highest, _on_line(wall, plan.mix, highest))),
            tone=Tone.FIT,
        ),
    ]
    if is_far:
        marks.append(_extrapolation(wall, plan.mix, highest, (x_high, on_line)))
    elif highest < wall.ceiling.mid < math.inf:
        marks.append(_extrapolation(wall, plan.mix, highest, (wall.ceiling.mid, limit_value)))
    if not is_far:
        marks.append(
            Level(
                label=f"limit {units.amount(limit_value, wall.resource)}",
                y=limit_value,
                tone=Tone.LIMIT,
            )
        )
    marks += _dots(found)
    ceiling = units.middle(wall.ceiling)
    where = " (beyond this chart)" if is_far else ""
    meets = "reaches its limit at" if math.isfinite(wall.ceiling.mid) else "holds"
    caption = f"{_sentence(name)}: {meets} {ceiling} connections{where}"
    return Figure(
        caption=caption,
        svg=plot(
            f"resource-{wall.resource.value.replace('_', '-')}",
            title=caption,
            description=(
                f"{sum(len(plateau.used) for plateau in found)} measured windows up to {units.count(highest)} connections, the"
                f" fit, and its dashed extrapolation. Ceiling interval:"
                f" {units.interval(wall.ceiling)}."
            ),
            x=_connections(x_high),
            y=amount_axis(wall.resource, y_high),
            marks=marks,
        ),
        table=_numbers(wall.resource, found, wall),
        legend=legend(marks),
    )


def _measured_figure(resource: Resource, found: tuple[Measured, ...]) -> Figure:
    caption = f"{_sentence(RESOURCES[resource])}, as measured"
    x_high = max(1.0, *(plateau.load.connections for plateau in found)) * 1.1
    y_high = max(max(plateau.used) for plateau in found) * 1.15
    return Figure(
        caption=caption,
        svg=plot(
            f"resource-{resource.value.replace('_', '-')}",
            title=caption,
            description=f"{len(found)} measured plateaus; without a plan there is no fit.",
            x=_connections(x_high),
            y=amount_axis(resource, y_high),
            marks=_dots(found),
        ),
        table=_numbers(resource, found, None),
        legend=legend(_dots(found)),
    )


def _sentence(name: str) -> str:
    return name[0].upper() + name[1:]


def _connections(high: float) -> Axis:
    return Axis(label="open connections", high=high, text=units.number)


def amount_axis(resource: Resource, high: float) -> Axis:
    """Return an axis in a unit that suits *high*: bytes are counted in powers of 1024."""
    unit = UNITS[resource]
    high = high if math.isfinite(high) and high > 0 else 1.0
    if not unit.startswith("bytes"):
        return Axis(label=unit, high=high, text=units.number)
    divisor, prefix = units.size_prefix(high)
    return Axis(
        label=prefix + ("/s" if unit == "bytes_per_s" else ""),
        high=high,
        unit=divisor,
        text=lambda value: units.number(value / divisor),
    )


def _on_line(wall: Wall, mix: LoadVector, connections: float) -> float:
    return wall.cost.baseline.mid + wall.cost.marginal_along(mix) * connections


def _extrapolation(wall: Wall, mix: LoadVector, start: float, end: tuple[float, float]) -> Line:
    return Line(
        label="extrapolated",
        points=((start, _on_line(wall, mix, start)), end),
        tone=Tone.EXTRAPOLATED,
    )


def _band(wall: Wall, x_high: float) -> list[Mark]:
    """Return the wedge of all lines from the baseline to a ceiling within the interval."""
    low, high = wall.ceiling.low, wall.ceiling.high
    baseline, limit_value = wall.cost.baseline.mid, wall.limit.value
    if limit_value is None or not 0 < low < high:
        return []

    def edge(ceiling: float) -> tuple[float, float]:
        x = min(ceiling, x_high)
        return x, baseline + (limit_value - baseline) * x / ceiling

    corners = [(0.0, baseline), edge(low), edge(high)]
    if low < x_high < high:
        corners.insert(2, (x_high, limit_value))
    label = f"{units.share(wall.ceiling.confidence)} interval of the ceiling"
    return [Area(label=label, corners=corners, tone=Tone.FIT)]


def _dots(found: tuple[Measured, ...]) -> list[Mark]:
    marks: list[Mark] = []
    for is_mix, label, tone in (
        (False, "measured, partial workload", Tone.PARTIAL),
        (True, "measured, full workload", Tone.MEASURED),
    ):
        dots = sorted(
            (plateau.load.connections, used)
            for plateau in found
            if plateau.step.step.is_mix is is_mix
            for used in plateau.used
        )
        if dots:
            marks.append(
                Dots(
                    label=label,
                    points=downsampled(dots, _MOST_DOTS),
                    tone=tone,
                    is_hollow=not is_mix,
                )
            )
    return marks


def _numbers(resource: Resource, found: tuple[Measured, ...], wall: Wall | None) -> Table | None:
    """Return mean use and fit by step; None when nothing was measured."""
    if not found:
        return None
    rows = tuple(
        cells(
            units.step_number(plateau.step.index),
            units.count(plateau.load.connections),
            "full workload" if plateau.step.step.is_mix else "partial workload",
            units.amount(plateau.mean, resource),
            "no fit" if wall is None else units.amount(fitted(wall.cost, plateau.load), resource),
        )
        for plateau in found
    )
    return Table(
        columns=("Step", "Connections", "Load", "Measured mean", "Fit at that load"),
        rows=rows,
        numeric=frozenset({0, 1, 3, 4}),
    )
