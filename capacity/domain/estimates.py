"""A number with its uncertainty."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A two-sided interval around a most likely value; low ≤ mid ≤ high."""

    low: float
    mid: float
    high: float
    confidence: float
    """Probability that the truth lies within [low, high], 0–1; 1 for what was counted."""

    @classmethod
    def exactly(cls, value: float) -> "Estimate":
        return cls(low=value, mid=value, high=value, confidence=1.0)
