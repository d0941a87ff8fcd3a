"""The ladder of walls as bars: how far each resource reaches, with its interval.

The scale ends at five times the lowest ceiling: what lies beyond is far away, and how far
stands at its bar, while the walls that come first stay apart from each other.
"""

from collections.abc import Sequence

from capacity.domain import units
from capacity.domain.plan import CapacityPlan, Wall
from capacity.domain.words import RESOURCES
from capacity.reporting.drawing.svg import WIDTH, Tone, picture, safe, shortest, words

_LEFT, _RIGHT, _ROW, _TOP = 240.0, 130.0, 30.0, 34.0
_FARTHEST_RATIO = 5.0


def ladder_chart(name: str, plan: CapacityPlan) -> str:
    """Return a bar for every wall, lowest ceiling first."""
    high = _scale_end(plan)
    tested = _x(plan.highest_connections, high)
    bottom = _TOP + _ROW * len(plan.ladder)
    parts = [_bar(wall, row, high) for row, wall in enumerate(plan.ladder)]
    line = (
        f'<path class="{Tone.TESTED.style_class}" d="M{shortest(tested)} {shortest(_TOP - 6)}'
        f'V{shortest(bottom)}" fill="none" stroke="{Tone.TESTED.color}"{Tone.TESTED.dash}'
        ' stroke-width="2"/>'
    )
    parts += [
        line,
        words(
            max(tested, _LEFT),
            _TOP - 12,
            f"tested up to {units.count(plan.highest_connections)} connections",
            "middle" if tested > _LEFT + 80 else "start",
        ),
    ]
    first = plan.ladder[0] if plan.ladder else None
    description = "Connections at which each resource reaches its limit." + (
        f" The bottleneck is {RESOURCES[first.resource]}, at {units.middle(first.ceiling)}."
        if first
        else ""
    )
    return picture(name, "Bottlenecks, in order", description, bottom + 10, parts)


def _scale_end(plan: CapacityPlan) -> float:
    ceilings: Sequence[float] = [wall.ceiling.mid for wall in plan.ladder]
    lowest, highest = min(ceilings, default=1.0), max(ceilings, default=1.0)
    return max(min(highest, _FARTHEST_RATIO * lowest), plan.highest_connections, 1.0) * 1.05


def _x(connections: float, high: float) -> float:
    return _LEFT + min(max(connections / high, 0.0), 1.0) * (WIDTH - _LEFT - _RIGHT)


def _bar(wall: Wall, row: int, high: float) -> str:
    tone = Tone.LIMIT if row == 0 else Tone.MEASURED
    middle = _TOP + _ROW * row + _ROW / 2
    start, end = _x(0, high), _x(wall.ceiling.mid, high)
    low, top = _x(wall.ceiling.low, high), _x(wall.ceiling.high, high)
    is_beyond = wall.ceiling.mid > high
    number = units.middle(wall.ceiling) + (" →" if is_beyond else "")
    upper_end = f"M{shortest(top)} {shortest(middle - 5)}v10" if wall.ceiling.is_bounded else ""
    whisker = (
        f'<path class="whisker" d="M{shortest(low)} {shortest(middle)}H{shortest(top)}'
        f"M{shortest(low)} {shortest(middle - 5)}v10{upper_end}"
        '" fill="none" stroke="#111111" stroke-width="1.5"/>'
    )
    bar = (
        f'<rect class="{tone.style_class}" x="{shortest(start)}" y="{shortest(middle - 9)}"'
        f' width="{shortest(end - start)}" height="18" fill="{tone.color}"'
        f' fill-opacity="{0.85 if row == 0 else 0.45}"><title>{safe(number)}</title></rect>'
    )
    return "".join(
        [
            words(_LEFT - 8, middle + 4, RESOURCES[wall.resource], "end", 12),
            bar,
            "" if wall.ceiling.low > high or (is_beyond and wall.ceiling.is_bounded) else whisker,
            words(max(end, top) + 8, middle + 4, number, size=12),
        ]
    )
