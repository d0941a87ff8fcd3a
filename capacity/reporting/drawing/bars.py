"""Horizontal bars of one unit, a row a thing, drawn twice: for a desk, and narrow for a phone.

Where there is no style sheet only the wide picture is shown; the page's own one shows the narrow one on
narrow screens. Rows differ by lightness and by outline as well as by colour.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from capacity.reporting.drawing.svg import picture, safe, shortest

_ROW, _TOP, _FOOT, _FONT, _CHARACTER = 24.0, 20.0, 22.0, 12.0, 6.9
_LARGEST_CHARACTER = 9.0
"""On a phone, whose style sheet enlarges the letters."""
_ROOM_FOR_NUMBER = 8.0


class Fill(Enum):
    """What a part of a bar means: its class, colour, and how it looks without colour."""

    IDLE = ("idle", "#3D4854", "")
    TESTED = ("tested-use", "#4A90C8", "")
    FORECAST = ("forecast", "#DCEBF8", ' stroke="#0A4A80" stroke-dasharray="3 2"')
    FIRST = ("hot", "#8A2408", "")
    NEXT = ("next", "#0A4A80", "")
    OUTER = ("outer", "#BCD9F2", "")

    @property
    def style_class(self) -> str:
        return self.value[0]

    @property
    def paint(self) -> str:
        return f'fill="{self.value[1]}"{self.value[2]}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """From one value to another, in the chart's unit."""

    start: float
    end: float
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    label: str
    parts: Sequence[Part]
    text: str
    """The number, at the bar's end."""
    dot: float | None = None
    """The most likely value, as a dot."""
    is_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A vertical line through all rows."""

    at: float
    label: str
    style_class: str = "demand"
    color: str = "#145A32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From *low* to *high*; logarithmic ones start above zero."""

    low: float
    high: float
    is_log: bool = False
    text: Callable[[float], str] = str
    ticks: tuple[float, ...] = ()

    def share(self, value: float) -> float:
        """Return where *value* lies, 0 to 1; what is outside is at the edge."""
        if self.is_log:
            low, high = math.log(self.low), math.log(self.high)
            value = math.log(max(value, self.low)) if value < math.inf else high
            return min(max((value - low) / (high - low), 0.0), 1.0)
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Where things lie in one of the two pictures."""

    width: float
    left: float
    right: float
    row: float
    is_narrow: bool = False

    def x(self, scale: Scale, value: float) -> float:
        return self.left + scale.share(value) * (self.width - self.left - self.right)


WIDE = Geometry(width=600.0, left=236.0, right=120.0, row=_ROW)
NARROW = Geometry(width=350.0, left=4.0, right=100.0, row=42.0, is_narrow=True)


def bars(
    name: str,
    *,
    title: str,
    scale: Scale,
    rows: Sequence[Bar],
    lines: Sequence[Line] = (),
    shade: tuple[float, float, str] | None = None,
    wide: Geometry = WIDE,
) -> str:
    """Return both pictures; *name* is unique in the page, *shade* a range with its label."""
    description = "; ".join(f"{row.label}: {row.text}" for row in rows) + "."
    return "".join(
        framed(
            name + suffix,
            title,
            description,
            size=(g.width, _TOP + g.row * len(rows) + _FOOT),
            body=_body(g, scale, rows, lines, shade),
            style_class=style_class,
        )
        for g, suffix, style_class in ((wide, "", "wide"), (NARROW, "-narrow", "narrow"))
    )


def framed(
    name: str,
    title: str,
    description: str,
    *,
    size: tuple[float, float],
    body: Sequence[str],
    style_class: str,
) -> str:
    """Return one picture of a pair; the narrow one is hidden where there is no style sheet."""
    hidden = ' display="none"' if style_class == "narrow" else ""
    drawn = picture(name, title, description, size[1], body, width=size[0])
    return drawn.replace("<svg ", f'<svg class="{style_class}"{hidden} ', 1)


def _body(
    g: Geometry,
    scale: Scale,
    rows: Sequence[Bar],
    lines: Sequence[Line],
    shade: tuple[float, float, str] | None,
) -> list[str]:
    bottom = _TOP + g.row * len(rows)
    drawn = [*_shaded(g, scale, shade, bottom)] if shade is not None else []
    drawn += axis(g, scale, bottom, shade is None)
    for index, row in enumerate(rows):
        drawn += bar(g, scale, row, _TOP + g.row * index)
    for line in lines:
        drawn += vertical(g, scale, line, bottom)
    return drawn


def _shaded(g: Geometry, scale: Scale, shade: tuple[float, float, str], bottom: float) -> list[str]:
    start, end = g.x(scale, shade[0]), g.x(scale, shade[1])
    return [
        (
            f'<rect class="shade" x="{shortest(start)}" y="{shortest(_TOP - 4)}"'
            f' width="{shortest(max(end - start, 1))}" height="{shortest(bottom - _TOP + 4)}"'
            ' fill="#EBEFF4"/>'
        ),
        label(start + 3, _TOP - 8, shade[2], style_class="soft"),
    ]


def axis(g: Geometry, scale: Scale, bottom: float, has_line: bool) -> list[str]:  # noqa: FBT001
    left, right = shortest(g.left), shortest(g.width - g.right)
    drawn = [
        f'<path class="axis" d="M{left} {shortest(bottom)}H{right}" stroke="#3D4854" fill="none"/>'
    ] * (1 if has_line or scale.ticks else 0)
    for tick in scale.ticks:
        x = g.x(scale, tick)
        drawn.append(label(x, bottom + 15, scale.text(tick), "middle", style_class="soft"))
    return drawn


def bar(g: Geometry, scale: Scale, row: Bar, top: float) -> list[str]:
    """Return the parts of a bar with its label before it, or above it on a narrow picture."""
    middle = top + (30.0 if g.is_narrow else g.row / 2)
    height = 12.0 if len(row.parts) else 0.0
    weight = "bold" if row.is_first else "normal"
    if g.is_narrow:
        drawn = [label(g.left, top + 16, row.label, weight=weight, size=13)]
    else:
        most = int((g.left - 10) / _CHARACTER)
        drawn = [label(g.left - 10, middle + 4, clipped(row.label, most), "end", weight=weight)]
    for part in row.parts:
        start, end = g.x(scale, part.start), g.x(scale, part.end)
        drawn.append(
            f'<rect class="{part.fill.style_class}" x="{shortest(start)}"'
            f' y="{shortest(middle - height / 2)}" width="{shortest(max(end - start, 1.5))}"'
            f' height="{shortest(height)}" {part.fill.paint}/>'
        )
    starts = [g.x(scale, part.start) for part in row.parts]
    ends = [g.x(scale, part.end) for part in row.parts]
    if row.dot is not None:
        x = g.x(scale, row.dot)
        fill = Fill.FIRST if row.is_first else Fill.NEXT
        drawn.append(
            f'<circle class="{fill.style_class}" cx="{shortest(x)}" cy="{shortest(middle)}" r="6"'
            f" {fill.paint}/>"
        )
        starts.append(x - 6)
        ends.append(x + 6)
    x, anchor = _beside(g, row.text, min([*starts, g.width]), max([*ends, g.left]))
    drawn.append(label(x, middle + 4, row.text, anchor, weight=weight))
    return drawn


def _beside(g: Geometry, text: str, start: float, end: float) -> tuple[float, str]:
    """Return where a number stands: behind its bar, before it where it would leave the picture."""
    width = _CHARACTER * len(text)
    if end + _ROOM_FOR_NUMBER + width <= g.width:
        return end + _ROOM_FOR_NUMBER, "start"
    before = start - _ROOM_FOR_NUMBER
    return (before if before - width >= g.left else g.width), "end"


def vertical(g: Geometry, scale: Scale, line: Line, bottom: float, top: float = _TOP) -> list[str]:
    x, half = g.x(scale, line.at), _LARGEST_CHARACTER / 2 * len(line.label)
    beside = min(max(x, half), g.width - half)
    return [
        (
            f'<path class="{line.style_class}" d="M{shortest(x)} {shortest(top - 4)}V{shortest(bottom)}"'
            f' fill="none" stroke="{line.color}" stroke-width="2" stroke-dasharray="4 3"/>'
        ),
        label(
            beside, top - 8, line.label, "middle", style_class=line.style_class, color=line.color
        ),
    ]


def label(
    x: float,
    y: float,
    text: str,
    anchor: str = "start",
    *,
    style_class: str = "ink",
    color: str = "#16202B",
    weight: str = "normal",
    size: float = _FONT,
) -> str:
    bold = ' font-weight="700"' if weight == "bold" else ""
    return (
        f'<text class="{style_class}" x="{shortest(x)}" y="{shortest(y)}" text-anchor="{anchor}"'
        f' font-size="{shortest(size)}" fill="{color}"{bold}>'
        f"{safe(text)}</text>"
    )


def clipped(text: str, most: int) -> str:
    """Return at most *most* characters of *text*, with an ellipsis where some are left out."""
    return text if len(text) <= most else text[: max(most - 1, 1)].rstrip() + "…"


def powers(low: float, high: float) -> tuple[float, ...]:
    """Return the powers of ten from *low* to *high*."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return tuple(10.0**power for power in range(first, last + 1))
