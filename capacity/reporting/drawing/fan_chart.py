"""The capacity on one line: what was tested, its fan of 50, 80 and 90 %, the safe capacity, the demand."""

import math

from capacity.domain import units
from capacity.domain.plan import CapacityPlan
from capacity.reporting.drawing.bars import Geometry, Line, Scale, framed, label, vertical
from capacity.reporting.drawing.svg import shortest

_WIDE = Geometry(width=560.0, left=2.0, right=2.0, row=0.0)
_NARROW = Geometry(width=350.0, left=2.0, right=2.0, row=0.0, is_narrow=True)
_TOP, _HEIGHT, _FULL = 32.0, 20.0, 84.0
_FILLS = {0.5: ("inner", "#6FA8D6"), 0.8: ("middle", "#9CC5E8"), 0.9: ("outer", "#D5E7F6")}
_NEAR = 70.0
"""Texts closer than this would lie on each other."""


def fan_chart(name: str, plan: CapacityPlan, demand_per_instance: float | None) -> str:
    """Return both pictures; connections from 0 to a little beyond everything shown."""
    ends = [plan.capacity.low, plan.capacity.mid, plan.capacity.high, demand_per_instance or 0.0]
    high = max([float(plan.highest_connections), *filter(math.isfinite, ends), 1.0]) * 1.08
    scale = Scale(low=0.0, high=high)
    said = [
        f"Capacity {units.middle(plan.capacity)} connections",
        f"interval {units.interval(plan.capacity)}",
        f"safe capacity {units.count(plan.safe_capacity)}",
        f"tested up to {units.count(plan.highest_connections)}",
    ]
    if demand_per_instance is not None:
        said.append(f"demand per instance {units.about(demand_per_instance)}")
    return "".join(
        framed(
            name + suffix,
            "Capacity with its interval",
            "; ".join(said) + ".",
            size=(g.width, _FULL),
            body=_body(g, scale, plan, demand_per_instance),
            style_class=style_class,
        )
        for g, suffix, style_class in ((_WIDE, "", "wide"), (_NARROW, "-narrow", "narrow"))
    )


def _body(g: Geometry, scale: Scale, plan: CapacityPlan, demand: float | None) -> list[str]:
    bottom = _TOP + _HEIGHT
    tested = g.x(scale, plan.highest_connections)
    middle = plan.capacity.mid if math.isfinite(plan.capacity.mid) else plan.capacity.low
    x = g.x(scale, middle)
    drawn = [
        _rect("shade", 0.0, tested, "#EBEFF4"),
        f'<path class="axis" d="M0 {shortest(bottom)}H{shortest(g.width)}" stroke="#3D4854"/>',
    ]
    for each in reversed(plan.fan or (plan.capacity,)):
        style_class, color = _FILLS.get(each.confidence, _FILLS[0.9])
        drawn.append(_rect(style_class, g.x(scale, each.low), g.x(scale, each.high), color))
    drawn += [
        (
            f'<path class="next" d="M{shortest(x)} {shortest(_TOP - 4)}V{shortest(bottom + 4)}"'
            ' stroke="#0A4A80" stroke-width="3" fill="none"/>'
        ),
        _number(g, x, units.middle(plan.capacity)),
        label(2, bottom + 16, "0", style_class="soft"),
        *_tested(g, tested, plan.highest_connections, bottom, x),
        *_safe(g, g.x(scale, plan.safe_capacity), bottom, plan),
    ]
    if demand is not None:
        text = f"demand {units.about(demand)}"
        at = g.x(scale, demand)
        shown = text if abs(at - x) > _NEAR + 10 and at > _NEAR else ""
        drawn += vertical(g, scale, Line(at=demand, label=shown), bottom + 4, _TOP)
    return drawn


def _rect(style_class: str, start: float, end: float, color: str) -> str:
    return (
        f'<rect class="{style_class}" x="{shortest(start)}" y="{shortest(_TOP)}"'
        f' width="{shortest(max(end - start, 2.0))}" height="{shortest(_HEIGHT)}" fill="{color}"/>'
    )


def _number(g: Geometry, x: float, text: str) -> str:
    anchor = "end" if x > g.width - 40 else "middle"
    style = {"style_class": "next", "color": "#0A4A80", "weight": "bold", "anchor": anchor}
    return label(x + (4 if anchor == "end" else 0), _TOP - 10, text, size=14, **style)


def _tested(g: Geometry, end: float, highest: int, bottom: float, capacity: float) -> list[str]:
    text = f"tested to {units.count(highest)}"
    if end < g.width / 4:
        return [label(max(end, 16), bottom + 16, text, style_class="soft")]
    if capacity - end < _NEAR:
        return [label(16, bottom + 16, text, style_class="soft")]
    return [label(end, bottom + 16, text, "middle", style_class="soft")]


def _safe(g: Geometry, x: float, bottom: float, plan: CapacityPlan) -> list[str]:
    if plan.is_beyond_reach:
        return []
    return [
        (
            f'<path class="ok" d="M{shortest(x)} {shortest(_TOP)}V{shortest(bottom + 8)}"'
            ' stroke="#145A32" stroke-width="3" fill="none"/>'
        ),
        label(
            min(x + 4, g.width),
            bottom + 28,
            f"safe {units.count(plan.safe_capacity)}",
            "end",
            style_class="ok",
            color="#145A32",
        ),
    ]
