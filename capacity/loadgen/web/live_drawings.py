"""The two figures of the live page as SVG: connections over time, and the forecast step by step.

Colours come from the page's style sheet by class, so that a figure is right in the dark as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import escape

from capacity.domain import units
from capacity.domain.estimates import Estimate

WIDTH, HEIGHT = 540.0, 200.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 26.0, 14.0, 26.0
MOST_POINTS = 240
_HEADROOM_RATIO = 1.15

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From data to the picture; both axes begin at 0."""

    most_x: float
    most_y: float

    def x(self, value: float) -> float:
        return round(LEFT + min(value / self.most_x, 1.0) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = min(max(value / self.most_y, 0.0), 1.0)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def timeline(
    generator: Sequence[Point],
    target: Sequence[Point],
    plateaus: Sequence[tuple[float, float]],
    asked: int,
) -> str:
    """Return connections over the seconds of a run, by the generator and by the target."""
    if not generator:
        return ""
    end_s = max(generator[-1][0], 10.0)
    most = max([asked, 1, *(y for _x, y in generator), *(y for _x, y in target)])
    scale = Scale(most_x=end_s, most_y=most * _HEADROOM_RATIO)
    bands = [
        f'<rect class="band" x="{scale.x(begun)}" y="{TOP}" height="{HEIGHT - TOP - BOTTOM}"'
        f' width="{max(1.0, scale.x(ended) - scale.x(begun)):.1f}"/>'
        for begun, ended in plateaus
    ]
    now = generator[-1][1]
    parts = [
        *bands,
        _frame(scale, units.duration(round(end_s)), most),
        _line("target", target, scale),
        _line("generator", generator, scale),
    ]
    said = f"Connections over {units.duration(round(end_s))}; now {units.count(now)}"
    return _picture(said, parts)


def forecast(steps: Sequence[tuple[int, Estimate]], tested: int) -> str:
    """Return the capacity with its interval after each of some *steps* (index, estimate)."""
    if not steps:
        return ""
    last = steps[-1][1]
    reach = last.high if last.is_bounded else 2 * last.low
    most = max(tested, min(reach, 3 * last.mid if last.is_bounded else reach)) * 1.6
    scale = Scale(most_x=max(len(steps) - 1, 1), most_y=most or 1.0)
    places = [scale.x(index) for index in range(len(steps))]
    if len(steps) == 1:
        places = [WIDTH / 2]
    highs = [scale.y(min(estimate.high, most)) for _step, estimate in steps]
    lows = [scale.y(estimate.low) for _step, estimate in steps]
    mids = [scale.y(min(estimate.mid, most)) for _step, estimate in steps]
    bars = [
        f'<path class="interval" d="M{x} {low}V{high}M{x - 5} {low}h10M{x - 5} {high}h10"/>'
        f'<circle class="middle" cx="{x}" cy="{middle}" r="4"/>'
        for x, low, middle, high in zip(places, lows, mids, highs, strict=True)
    ]
    outline = [*zip(places, highs, strict=True), *zip(places[::-1], lows[::-1], strict=True)]
    band = " ".join(f"{x},{y}" for x, y in outline)
    labels = [
        _text(x, HEIGHT - 8, f"step {units.step_number(step)}", "middle")
        for x, (step, _estimate) in list(zip(places, steps, strict=True))[:: -(-len(steps) // 6)]
    ]
    tested_y = scale.y(tested)
    parts = [
        f'<polygon class="band" points="{band}"/>',
        _frame(scale, "", most, is_time=False),
        f'<path class="tested" d="M{LEFT} {tested_y}H{WIDTH - RIGHT}"/>',
        _text(WIDTH - RIGHT, tested_y - 4, f"tested {units.count(tested)}", "end"),
        *bars,
        *labels,
    ]
    return _picture(
        f"Forecast after each step; now {units.middle(last)}, {units.interval(last)}", parts
    )


def bar(ratio: float | None, kind: str) -> str:
    """Return how much of a limit is used; nothing where that is not known."""
    if ratio is None:
        return ""
    width = round(100 * min(max(ratio, 0.0), 1.0), 1)
    return (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8"/>'
        f'<rect class="{escape(kind)}" width="{max(width, 0.6)}" height="8"/></svg>'
    )


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """Return at most *most* points and the last one; of each piece the highest is kept."""
    if len(points) <= most:
        return list(points)
    *earlier, last = points
    size = -(-len(points) // most)
    pieces = (earlier[begin : begin + size] for begin in range(0, len(earlier), size))
    return [*(max(piece, key=lambda point: point[1]) for piece in pieces), last]


def _line(kind: str, points: Sequence[Point], scale: Scale) -> str:
    if not points:
        return ""
    places = "L".join(f"{scale.x(x)} {scale.y(y)}" for x, y in points)
    return f'<path class="line {kind}" d="M{places}"/>'


def _frame(scale: Scale, end: str, most: float, *, is_time: bool = True) -> str:
    bottom = HEIGHT - BOTTOM
    values = {units.about(value): value for value in (scale.most_y / 2, min(most, scale.most_y))}
    rules = "".join(
        f'<path class="grid" d="M{LEFT} {scale.y(value)}H{WIDTH - RIGHT}"/>'
        + _text(LEFT - 6, scale.y(value) + 4, said, "end")
        for said, value in values.items()
    )
    axis = f'<path class="axis" d="M{LEFT} {bottom}H{WIDTH - RIGHT}"/>'
    ends = _text(LEFT, HEIGHT - 8, "0 s", "start") if is_time else ""
    return rules + axis + ends + _text(WIDTH - RIGHT, HEIGHT - 8, end, "end")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _picture(said: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{escape(said)}">'
        + "".join(parts)
        + "</svg>"
    )
