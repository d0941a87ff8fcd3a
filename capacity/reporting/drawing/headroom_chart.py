"""Each resource in one row: how much of its limit is used, and at how many connections it runs out.

Left: idle, added at the tested peak, forecast at the capacity; the right end is the limit. Right: the
ceiling with its interval on a logarithmic scale, as ceilings lie decades apart.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from capacity.domain import units
from capacity.domain.plan import CapacityPlan, Wall
from capacity.domain.words import RESOURCES
from capacity.reporting.drawing.bars import (
    Bar,
    Fill,
    Geometry,
    Line,
    Part,
    Scale,
    bar,
    clipped,
    framed,
    label,
    powers,
    vertical,
)
from capacity.reporting.drawing.svg import shortest

FEWEST_ROWS, MOST_ROWS = 3, 6
FARTHEST_RATIO = 100.0
"""What runs out this many times later than the first is not worth a row."""

_ROW, _TOP, _FOOT = 22.0, 24.0, 22.0
_WIDE, _NARROW_WIDTH = 1160.0, 350.0
_USE = Geometry(width=500.0, left=200.0, right=10.0, row=_ROW)
_REACH = Geometry(width=_WIDE, left=580.0, right=190.0, row=_ROW)
_NARROW = Geometry(width=_NARROW_WIDTH, left=4.0, right=70.0, row=44.0, is_narrow=True)
_SHARES = Scale(low=0.0, high=1.0)
_CHARACTER = 7.0


def near_walls(plan: CapacityPlan) -> tuple[Wall, ...]:
    """Return the walls that get a row, lowest ceiling first."""
    if not plan.ladder:
        return ()
    first = _place(plan.ladder[0])
    near = [
        wall
        for row, wall in enumerate(plan.ladder)
        if row < FEWEST_ROWS or _place(wall) <= FARTHEST_RATIO * first
    ]
    return tuple(near[:MOST_ROWS])


def headroom_chart(name: str, plan: CapacityPlan, demand_per_instance: float | None) -> str:
    """Return both pictures of `near_walls`."""
    shown = near_walls(plan)
    description = " ".join(
        f"{RESOURCES[wall.resource]}: {_uses(wall, plan)}; runs out at"
        f" {units.middle(wall.ceiling)} connections ({units.interval(wall.ceiling)})."
        for wall in shown
    )
    title = "Headroom of each resource"
    wide = framed(
        name,
        title,
        description,
        size=(_WIDE, _TOP + _ROW * len(shown) + _FOOT),
        body=_wide(shown, plan, demand_per_instance),
        style_class="wide",
    )
    narrow = framed(
        f"{name}-narrow",
        title,
        description,
        size=(_NARROW_WIDTH, _NARROW.row * len(shown) + _FOOT),
        body=_narrow(shown, plan),
        style_class="narrow",
    )
    return wide + narrow


def shares(wall: Wall, plan: CapacityPlan) -> tuple[float, float, float] | None:
    """Return the shares of the limit used idle, at the tested peak and at the capacity.

    None where the limit has no size to take a share of, or was met and not read.
    """
    size = wall.limit.value
    if not size or wall.limit.scope == "met":
        return None
    capacity = plan.capacity.mid if math.isfinite(plan.capacity.mid) else plan.capacity.low
    at_capacity = wall.cost.baseline.mid + wall.cost.marginal_along(plan.mix) * capacity
    ends = (wall.used_at_baseline / size, wall.used_at_highest / size, at_capacity / size)
    idle, tested, forecast = (min(max(each, 0.0), 1.0) for each in ends)
    return idle, max(tested, idle), max(forecast, tested, idle)


def _place(wall: Wall) -> float:
    return wall.ceiling.mid if math.isfinite(wall.ceiling.mid) else wall.ceiling.low


def _uses(wall: Wall, plan: CapacityPlan) -> str:
    found = shares(wall, plan)
    if found is None:
        return "its limit was met by the run"
    idle, tested, forecast = (units.share(each) for each in found)
    return f"{idle} of its limit idle, {tested} at the tested peak, {forecast} at the capacity"


def _use(wall: Wall, plan: CapacityPlan) -> Bar:
    found = shares(wall, plan)
    name = RESOURCES[wall.resource]
    is_first = wall is plan.ladder[0]
    if found is None:
        return Bar(label=name, parts=(), text="met by this run", is_first=is_first)
    idle, tested, forecast = found
    parts = [
        Part(start=0.0, end=idle, fill=Fill.IDLE),
        Part(start=idle, end=tested, fill=Fill.TESTED),
        Part(start=tested, end=forecast, fill=Fill.FORECAST),
    ]
    return Bar(
        label=name,
        parts=[part for part in parts if part.end > part.start],
        text="" if forecast > 0.75 else units.share(forecast),
        is_first=is_first,
    )


def _reach(wall: Wall, plan: CapacityPlan) -> Bar:
    is_first = wall is plan.ladder[0]
    ceiling = wall.ceiling
    interval = f" ({units.interval(ceiling).rsplit(' (', 1)[0]})" if ceiling.is_bounded else ""
    part = Part(start=ceiling.low, end=min(ceiling.high, 1e12), fill=Fill.OUTER)
    return Bar(
        label="",
        parts=[part] if ceiling.low < ceiling.high else [],
        text=units.middle(ceiling) + ("" if interval == " (exact)" else interval),
        dot=_place(wall),
        is_first=is_first,
    )


def _wide(shown: Sequence[Wall], plan: CapacityPlan, demand: float | None) -> list[str]:
    bottom = _TOP + _ROW * len(shown)
    places = [_place(wall) for wall in shown]
    tested = float(max(plan.highest_connections, 1))
    ends = [tested, *places, *([demand] if demand else [])]
    low, high = max(min(ends) / 4.0, 1.0), max(ends) * 1.6
    scale = Scale(low=low, high=max(high, low * 10.0), is_log=True, text=units.count)
    limit = _USE.x(_SHARES, 1.0)
    drawn = [
        label(_USE.left, 12, "use of its limit", style_class="soft"),
        label(limit, 12, "limit", "end", style_class="soft"),
        (
            f'<path class="hot" d="M{shortest(limit)} {shortest(_TOP - 6)}V{shortest(bottom)}"'
            ' stroke="#8A2408" stroke-width="2" fill="none"/>'
        ),
        *_tested(scale, tested, bottom),
        (
            f'<path class="axis" d="M{shortest(_REACH.left)} {shortest(bottom)}'
            f'H{shortest(_WIDE - _REACH.right)}" stroke="#3D4854" fill="none"/>'
        ),
    ]
    for x, text in _decades(scale):
        drawn.append(label(x, bottom + 15, text, "middle", style_class="soft"))
    for text, share in (("0 %", 0.0), ("50 %", 0.5), ("100 %", 1.0)):
        x = _USE.x(_SHARES, share)
        drawn.append(label(x, bottom + 15, text, "middle", style_class="soft"))
    for index, wall in enumerate(shown):
        top = _TOP + _ROW * index
        drawn += bar(_USE, _SHARES, _use(wall, plan), top)
        drawn += bar(_REACH, scale, _reach(wall, plan), top)
    if demand:
        shown_text = f"demand {units.about(demand)}"
        drawn += vertical(_REACH, scale, Line(at=demand, label=shown_text), bottom, _TOP - 4)
    return drawn


def _decades(scale: Scale) -> list[tuple[float, str]]:
    """Return places and words of the powers of ten: of every second, third … where all are too many."""
    ticks = [(_REACH.x(scale, tick), units.count(tick)) for tick in powers(scale.low, scale.high)]
    if not ticks[1:]:
        return ticks
    apart, widest = ticks[1][0] - ticks[0][0], (len(ticks[-1][1]) + 1) * _CHARACTER
    return ticks[:: math.ceil(widest / apart)]


def _tested(scale: Scale, tested: float, bottom: float) -> list[str]:
    start, end = _REACH.left, _REACH.x(scale, tested)
    return [
        (
            f'<rect class="shade" x="{shortest(start)}" y="{shortest(_TOP - 6)}"'
            f' width="{shortest(end - start)}" height="{shortest(bottom - _TOP + 6)}" fill="#EBEFF4"/>'
        ),
        label(start + 2, 12, f"tested to {units.count(tested)}", style_class="soft"),
    ]


def _narrow(shown: Sequence[Wall], plan: CapacityPlan) -> list[str]:
    drawn = []
    for index, wall in enumerate(shown):
        top = _NARROW.row * index
        row = _use(wall, plan)
        most = int((_NARROW_WIDTH - 130) / 7.4)
        drawn += bar(_NARROW, _SHARES, replace(row, label=clipped(row.label, most)), top)
        weight = "bold" if row.is_first else "normal"
        number = units.middle(wall.ceiling)
        drawn.append(label(_NARROW_WIDTH - 2, top + 16, number, "end", weight=weight, size=13))
    limit, bottom = _NARROW.x(_SHARES, 1.0), _NARROW.row * len(shown)
    drawn += [
        (
            f'<path class="hot" d="M{shortest(limit)} 20V{shortest(bottom)}" stroke="#8A2408"'
            ' stroke-width="2" fill="none"/>'
        ),
        label(_NARROW.left, bottom + 16, "share of the limit in use", style_class="soft"),
        label(limit, bottom + 16, "limit", "middle", style_class="soft"),
    ]
    return drawn
