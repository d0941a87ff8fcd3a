"""A chart's scale: round ticks, and fewer points where there are more than can be seen."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOST_POINTS = 480
_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)

Point = tuple[float, float | None]
"""A place on a line; None breaks it: nothing was measured there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """From 0 to *high*; ticks are multiples of a round number of *unit*."""

    label: str
    high: float
    text: Callable[[float], str]
    unit: float = 1.0
    is_time: bool = False

    def ticks(self, wanted: int = 6) -> tuple[float, ...]:
        """Return the round values from 0 to *high*, about *wanted* of them."""
        step = self._step(wanted)
        return tuple(index * step for index in range(int(self.high / step + 1e-9) + 1))

    def _step(self, wanted: int) -> float:
        least = self.high / wanted
        if self.is_time and least <= _TIME_STEPS_S[-1]:
            return float(next(step for step in _TIME_STEPS_S if step >= least))
        magnitude = 10.0 ** math.floor(math.log10(least / self.unit))
        factor = next(factor for factor in (1, 2, 5, 10) if factor * magnitude * self.unit >= least)
        return factor * magnitude * self.unit


def downsampled(points: Sequence[Point], most: int = MOST_POINTS) -> tuple[Point, ...]:
    """Return at most *most* points that keep every bucket's lowest and highest value.

    Points are in order of x. A bucket that holds a gap keeps a gap, so that no line is drawn
    over what was not measured; gaps do not count as points.
    """
    if len(points) <= most:
        return tuple(points)
    buckets = most // 2
    kept: list[Point] = []
    for index in range(buckets):
        bucket = points[index * len(points) // buckets : (index + 1) * len(points) // buckets]
        measured = [(x, y) for x, y in bucket if y is not None]
        if measured:
            extremes = {min(measured, key=lambda p: p[1]), max(measured, key=lambda p: p[1])}
            kept += sorted(extremes)
        if len(measured) < len(bucket):
            kept.append((bucket[-1][0], None))
    return tuple(kept)
