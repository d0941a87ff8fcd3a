"""
Has a series moved? Its latest value against those before it, and its slope.

The middle is the median and the scatter the median absolute deviation (MAD), as a series has outliers:
a neighbour's night. 1.4826·MAD is σ of normal values; of few values it is too small, which n/(n − 0.8)
makes up for (Croux & Rousseeuw, Computational Statistics 1, 1992). A value counts as moved beyond K·σ
and beyond a least effect, as a series without any scatter would else be moved by nothing. Below FEWEST
values the scatter is not known, and what is said is weak. Slopes are those of Theil and Sen (Sen,
J. Am. Stat. Assoc. 63, 1968), which a quarter of outliers does not turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from capacity.domain.estimates import Estimate

K = 4.0
FEWEST = 5
CONFIDENCE = 0.9
_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A value beside those before it."""

    median: float
    ratio: float
    """Value / median."""
    tolerance_ratio: float
    """By how much a value may differ from the median without having moved."""
    runs: int
    """Values before it."""

    @property
    def is_weak(self) -> bool:
        return self.runs < FEWEST

    @property
    def has_fallen(self) -> bool:
        return 1.0 - self.ratio > self.tolerance_ratio

    @property
    def has_risen(self) -> bool:
        return self.ratio - 1.0 > self.tolerance_ratio


def drift(before: Sequence[float], value: float, least_effect_ratio: float) -> Drift | None:
    """Return how *value* stands to those *before* it; None without any, or without a size."""
    if not before or (middle := median(before)) <= 0.0:
        return None
    count = len(before)
    deviation = median(abs(each - middle) for each in before)
    sigma = _TO_SIGMA * deviation * count / (count - 0.8)
    return Drift(
        median=middle,
        ratio=value / middle,
        tolerance_ratio=max(least_effect_ratio, K * sigma / middle if count >= FEWEST else 0.0),
        runs=count,
    )


def slope(times: Sequence[float], values: Sequence[float]) -> Estimate | None:
    """Return the slope of *values* over *times*; None for fewer than FEWEST of them."""
    if len(values) < FEWEST or len(set(times)) < FEWEST:
        return None
    from scipy.stats import theilslopes  # noqa: PLC0415 - a second that only slopes are worth

    found = theilslopes(values, times, CONFIDENCE)
    return Estimate(
        low=min(float(found.low_slope), float(found.slope)),
        mid=float(found.slope),
        high=max(float(found.high_slope), float(found.slope)),
        confidence=CONFIDENCE,
    )
