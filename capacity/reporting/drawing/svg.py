"""Charts as SVG text, without a library, a script or a style sheet.

Everything is drawn with presentation attributes, so a chart looks right under a policy that
forbids inline style (Jenkins' for archived pages). Class names only let a page that may have
a style sheet recolour it for the dark. Colours: Okabe and Ito (2008), told apart by the colour
blind; every line has its own dash pattern too, for those who print.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from markupsafe import escape

from capacity.domain.words import printable
from capacity.reporting.drawing.axis import Axis, Point, downsampled

WIDTH, HEIGHT = 560.0, 290.0
LEFT, RIGHT, TOP, BOTTOM = 74.0, 18.0, 26.0, 46.0
_LARGEST_CHARACTER = 11.0
"""On a phone, whose style sheet enlarges the letters."""
_NOTE_ROWS, _NOTE_ROW, _CHARACTER = 3, 13.0, 6.6


class Tone(Enum):
    """What a mark means: its class, colour and dash pattern."""

    MEASURED = ("measured", "#0072B2", "")
    OFFERED = ("offered", "#595959", "2 3")
    FIT = ("fit", "#0072B2", "")
    EXTRAPOLATED = ("fit", "#0072B2", "7 5")
    PARTIAL = ("partial", "#8A5A00", "")
    LIMIT = ("limit", "#B54400", "12 4")
    TESTED = ("tested", "#00755A", "3 3")
    FAILURE = ("limit", "#B54400", "2 2")
    USED = ("plateau", "#0072B2", "")
    VOID = ("void", "#B54400", "")

    @property
    def style_class(self) -> str:
        return self.value[0]

    @property
    def color(self) -> str:
        return self.value[1]

    @property
    def dash(self) -> str:
        return f' stroke-dasharray="{self.value[2]}"' if self.value[2] else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    label: str
    points: Sequence[Point]
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    label: str
    points: Sequence[Point]
    tone: Tone
    is_hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Between two lines that start at the same point and end at the same x or y."""

    label: str
    corners: Sequence[tuple[float, float]]
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A horizontal line across the chart."""

    label: str
    y: float
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A vertical band, such as a plateau; spans of one label share a legend entry."""

    label: str
    x_from: float
    x_to: float
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A vertical line; *note* stands at its top."""

    label: str
    x: float
    note: str
    tone: Tone


Mark = Line | Dots | Area | Level | Span | Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where the data lies within the picture."""

    x: Axis
    y: Axis
    top: float

    def at_x(self, value: float) -> str:
        inside = min(max(value / self.x.high, -0.01), 1.01)
        return shortest(LEFT + inside * (WIDTH - LEFT - RIGHT))

    def at_y(self, value: float) -> str:
        inside = min(max(value / self.y.high, -0.01), 1.01)
        return shortest(HEIGHT - BOTTOM - inside * (HEIGHT - BOTTOM - self.top))


def shortest(coordinate: float) -> str:
    return f"{coordinate:.1f}".removesuffix(".0")


def safe(text: object) -> str:
    return str(escape(printable(text)))


def words(x: float, y: float, text: str, anchor: str = "start") -> str:
    """Return one line of text in the letters of its picture."""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="ink" x="{shortest(x)}" y="{shortest(y)}"{where}>{safe(text)}</text>'


def picture(
    name: str,
    title: str,
    description: str,
    height: float,
    body: Sequence[str],
    *,
    width: float = WIDTH,
) -> str:
    """Return the SVG element around *body*, with what a screen reader says of it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{shortest(width)}"'
        f' height="{shortest(height)}" viewBox="0 0 {shortest(width)} {shortest(height)}"'
        f' aria-labelledby="{name}-title {name}-desc"'
        ' font-size="12" font-family="sans-serif" fill="#16202B">'
        f'<title id="{name}-title">{safe(title)}</title>'
        f'<desc id="{name}-desc">{safe(description)}</desc>' + "".join(body) + "</svg>"
    )


def plot(
    name: str, *, title: str, description: str, x: Axis, y: Axis, marks: Sequence[Mark]
) -> str:
    """Return a chart of *marks*, drawn in their order; *name* is unique within the page."""
    moments = [mark for mark in marks if isinstance(mark, Moment)]
    frame = Frame(x=x, y=y, top=TOP)
    spans = [_drawn(mark, frame) for mark in marks if isinstance(mark, Span)]
    others = [_drawn(mark, frame) for mark in marks if not isinstance(mark, Span)]
    notes = _notes(moments, frame)
    return picture(name, title, description, HEIGHT, [*spans, *_grid(frame), *others, *notes])


def _grid(frame: Frame) -> list[str]:
    left, right = shortest(LEFT), shortest(WIDTH - RIGHT)
    bottom = HEIGHT - BOTTOM
    parts = []
    for tick in frame.y.ticks(5):
        y = frame.at_y(tick)
        parts.append(
            f'<path class="grid" d="M{left} {y}H{right}" stroke="#D9D9D9" stroke-width="1"/>'
        )
        parts.append(words(LEFT - 8, float(y) + 4, frame.y.text(tick), "end"))
    parts += [_tick(float(frame.at_x(tick)), frame.x.text(tick)) for tick in frame.x.ticks()]
    parts.append(
        f'<path class="axis" d="M{left} {shortest(frame.top)}V{shortest(bottom)}H{right}"'
        ' fill="none" stroke="#595959" stroke-width="1"/>'
    )
    parts.append(words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, frame.x.label, "middle"))
    parts.append(words(4, frame.top - 10, frame.y.label))
    return parts


def _tick(x: float, text: str) -> str:
    """Return a tick's words below the axis; the last ones end at the picture's edge, however large."""
    fits = x + _LARGEST_CHARACTER / 2 * len(text) <= WIDTH
    return words(x if fits else WIDTH, HEIGHT - BOTTOM + 17, text, "middle" if fits else "end")


def _drawn(mark: Mark, frame: Frame) -> str:
    start = f'class="{mark.tone.style_class}" '
    paint = f'fill="none" stroke="{mark.tone.color}"{mark.tone.dash}'
    wash = f'fill="{mark.tone.color}" fill-opacity="0.13"'
    top, bottom = shortest(frame.top), shortest(HEIGHT - BOTTOM)
    match mark:
        case Line():
            drawn = f'<path {start}d="{_path(mark.points, frame)}" {paint} stroke-width="2"/>'
        case Level():
            d = f"M{shortest(LEFT)} {frame.at_y(mark.y)}H{shortest(WIDTH - RIGHT)}"
            drawn = f'<path {start}d="{d}" {paint} stroke-width="2"/>'
        case Moment():
            x = frame.at_x(mark.x)
            drawn = f'<path {start}d="M{x} {top}V{bottom}" {paint} stroke-width="1.5"/>'
        case Span():
            x_from, x_to = float(frame.at_x(mark.x_from)), float(frame.at_x(mark.x_to))
            drawn = (
                f'<rect {start}x="{shortest(x_from)}" y="{top}" width="{shortest(x_to - x_from)}"'
                f' height="{shortest(HEIGHT - BOTTOM - frame.top)}" {wash}/>'
            )
        case Area():
            corners = " ".join(f"{frame.at_x(x)},{frame.at_y(y)}" for x, y in mark.corners)
            drawn = f'<polygon {start}points="{corners}" {wash}/>'
        case Dots():
            places = (f"{frame.at_x(x)} {frame.at_y(y)}" for x, y in mark.points if y is not None)
            drawn = _dots(mark, tuple(dict.fromkeys(places)))  # One dot at a place looks like ten.
    return drawn


def _dots(mark: Dots, places: Sequence[str]) -> str:
    # A line of no length with round ends is a dot: eight bytes instead of fifty.
    d = "".join(f"M{place}h0" for place in places)
    dots = (
        f'<path class="{mark.tone.style_class}" d="{d}" stroke-linecap="round"'
        f' stroke="{mark.tone.color}" stroke-width="7"/>'
    )
    if not mark.is_hollow:
        return dots
    return dots + (
        f'<path class="paper" d="{d}" stroke-linecap="round" stroke="#FFFFFF" stroke-width="3.5"/>'
    )


def _path(points: Sequence[Point], frame: Frame) -> str:
    commands, pen = [], "M"
    for x, y in downsampled(points):
        if y is None:
            pen = "M"
            continue
        commands.append(f"{pen}{frame.at_x(x)} {frame.at_y(y)}")
        pen = "L"
    return "".join(commands)


def _notes(moments: Sequence[Moment], frame: Frame) -> list[str]:
    """Return the notes of *moments*, in rows where they would lie on each other.

    What finds no room is left out: every event is in the table of events.
    """
    ends = [0.0] * _NOTE_ROWS
    parts = []
    for mark in sorted(moments, key=lambda mark: mark.x):
        width = _CHARACTER * len(printable(mark.note))
        x = float(frame.at_x(mark.x)) + 3
        anchor, start = ("start", x) if x + width <= WIDTH else ("end", x - width - 6)
        row = next((row for row, end in enumerate(ends) if end <= start), None)
        if row is None:
            continue
        ends[row] = start + width + 4
        y = frame.top + 11 + _NOTE_ROW * row
        parts.append(words(x if anchor == "start" else x - 6, y, mark.note, anchor))
    return parts


def legend(marks: Sequence[Mark]) -> str:
    """Return one list entry a label, as HTML, which wraps and grows with the reader's letters."""
    entries = {mark.label: mark for mark in marks if mark.label}
    items = [f"<li>{_sample(mark)}{safe(label)}</li>" for label, mark in entries.items()]
    return f'<ul class="legend">{"".join(items)}</ul>' if items else ""


def _sample(mark: Mark) -> str:
    style = f'class="{mark.tone.style_class}" '
    if isinstance(mark, Area | Span):
        drawn = (
            f'<rect {style}x="0" y="1" width="28" height="10" fill="{mark.tone.color}"'
            ' fill-opacity="0.25"/>'
        )
    elif isinstance(mark, Dots):
        drawn = _dots(mark, ["14 6"])
    else:
        stroke = f'stroke="{mark.tone.color}"{mark.tone.dash}'
        drawn = f'<path {style}d="M0 6h28" fill="none" {stroke} stroke-width="2"/>'
    return f'<svg width="28" height="12" viewBox="0 0 28 12" aria-hidden="true">{drawn}</svg> '
