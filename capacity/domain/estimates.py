"""A number with its uncertainty."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A two-sided interval around a most likely value; low ≤ mid ≤ high.

    `high` is ∞ where nothing that was measured bounds it, and so may `mid` be.
    """

    low: float
    mid: float
    high: float
    confidence: float
    """Probability that the truth lies within [low, high], 0–1; 1 for what was counted."""

    @property
    def is_bounded(self) -> bool:
        """Whether there is an upper end; without one only the lower is known."""
        return math.isfinite(self.high)

    @classmethod
    def around(cls, mid: float, low: float, high: float, confidence: float) -> "Estimate":
        """Return the interval with *mid* in it: bounds on its wrong side are *mid* itself."""
        return cls(low=min(low, mid), mid=mid, high=max(high, mid), confidence=confidence)

    @classmethod
    def exactly(cls, value: float) -> "Estimate":
        return cls(low=value, mid=value, high=value, confidence=1.0)
