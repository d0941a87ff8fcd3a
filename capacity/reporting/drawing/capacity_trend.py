"""The capacity from run to run: its middle as dots on a line, its interval as bars."""

import math
from collections.abc import Sequence

from capacity.domain import units
from capacity.reporting.drawing.bars import framed, label
from capacity.reporting.drawing.svg import shortest

MOST_RUNS = 60
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720.0, 150.0, 62.0, 12.0, 12.0, 22.0
Reading = tuple[float, float, float]
"""Low, middle, high; connections. An end may be infinite."""


def capacity_trend(name: str, readings: Sequence[Reading], ends: tuple[str, str]) -> str:
    """Return the picture of *readings*, the oldest first; *ends* are the dates of first and last."""
    shown = list(readings[-MOST_RUNS:])
    high = 1.1 * max([1.0, *(each for one in shown for each in one[1:] if math.isfinite(each))])
    places = [
        (_LEFT + (_WIDTH - _LEFT - _RIGHT) * (i + 0.5) / len(shown), one)
        for i, one in enumerate(shown)
    ]
    said = f"Capacity of {units.counted(len(shown), 'run')}, from {units.about(shown[0][1])}"
    body = [
        *_axis(high, ends),
        *(_interval(x, low, end, high) for x, (low, _mid, end) in places),
        _line([(x, mid) for x, (_low, mid, _end) in places], high),
        *(_dot(x, mid, high) for x, (_low, mid, _end) in places),
    ]
    return framed(
        name,
        "Capacity from run to run",
        f"{said} to {units.about(shown[-1][1])} connections.",
        size=(_WIDTH, _HEIGHT),
        body=body,
        style_class="trend",
    )


def _y(value: float, high: float) -> float:
    inside = min(max(value / high, 0.0), 1.0)
    return _HEIGHT - _BOTTOM - inside * (_HEIGHT - _TOP - _BOTTOM)


def _axis(high: float, ends: tuple[str, str]) -> list[str]:
    drawn = []
    for value in (0.0, high / 2.0, high):
        y = _y(value, high)
        drawn += [
            (
                f'<path class="grid" d="M{shortest(_LEFT)} {shortest(y)}H{shortest(_WIDTH)}"'
                ' stroke="#D5DCE3" fill="none"/>'
            ),
            label(_LEFT - 6, y + 4, units.about(value), "end", style_class="soft"),
        ]
    first, last = ends
    return [
        *drawn,
        label(_LEFT, _HEIGHT - 4, first, style_class="soft"),
        label(_WIDTH, _HEIGHT - 4, last, "end", style_class="soft"),
    ]


def _interval(x: float, low: float, end: float, high: float) -> str:
    top, bottom = _y(end, high), _y(low, high)
    return (
        f'<rect class="middle" x="{shortest(x - 3)}" y="{shortest(top)}" width="6"'
        f' height="{shortest(max(bottom - top, 1.0))}" fill="#9CC5E8"/>'
    )


def _line(points: Sequence[tuple[float, float]], high: float) -> str:
    path = "L".join(f"{shortest(x)} {shortest(_y(value, high))}" for x, value in points)
    return f'<path class="next" d="M{path}" stroke="#0A4A80" stroke-width="1.5" fill="none"/>'


def _dot(x: float, value: float, high: float) -> str:
    return (
        f'<circle class="next" cx="{shortest(x)}" cy="{shortest(_y(value, high))}" r="3.5"'
        ' fill="#0A4A80"/>'
    )
