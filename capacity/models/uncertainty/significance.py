"""
Is a change real? Two sides of one or more runs each, compared by their means.

Within a run the error of a value is known from its scatter. What differs between two runs of the same
build (the layout of a heap, the placing of threads, the neighbours) shows in the spread of the runs of
a side alone: where that is more than the runs' own errors explain (Fisher's F at 5 %), it is what
counts, with its few degrees of freedom. One run a side says nothing of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from scipy.special import fdtri, stdtr, stdtrit

from capacity.domain.estimates import Estimate

CONFIDENCE = 0.9
_SPREAD_LEVEL = 0.95
_POWER = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The values of one side's runs, and the standard error of each."""

    values: Sequence[float]
    errors: Sequence[float]

    @property
    def mean(self) -> float:
        return fmean(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """By what the second side differs from the first."""

    difference: Estimate
    chance: float
    """That there is a change in the direction seen, 0.5 to 1."""
    error: float
    """Standard error of the difference."""
    degrees: int
    """Of freedom behind it."""

    def seen_from(self, chance_needed: float) -> float:
        """Return the true difference that would be noticed in 95 of 100 cases."""
        found = stdtrit(self.degrees, _POWER)
        return self.error * float(stdtrit(self.degrees, chance_needed) + found)


def shift(before: Side, after: Side, degrees: int) -> Shift:
    """Return by what *after* differs from *before*; *degrees* of freedom are behind the errors."""
    error, freedom = _error_of_difference(before, after, degrees)
    difference = after.mean - before.mean
    if error == 0.0:
        return Shift(
            difference=Estimate.exactly(difference),
            chance=1.0 if difference else 0.5,
            error=0.0,
            degrees=freedom,
        )
    reach = float(stdtrit(freedom, (1.0 + CONFIDENCE) / 2.0)) * error
    return Shift(
        difference=Estimate(
            low=difference - reach, mid=difference, high=difference + reach, confidence=CONFIDENCE
        ),
        chance=float(stdtr(freedom, abs(difference) / error)),
        error=error,
        degrees=freedom,
    )


def _error_of_difference(before: Side, after: Side, degrees: int) -> tuple[float, int]:
    sides = (before, after)
    known = sum(sum(error**2 for error in side.errors) / len(side.values) ** 2 for side in sides)
    freedom = sum(len(side.values) - 1 for side in sides)
    if freedom == 0:
        return math.sqrt(known), degrees
    squares = sum((value - side.mean) ** 2 for side in sides for value in side.values)
    spread = squares / freedom * sum(1.0 / len(side.values) for side in sides)
    if spread <= known * float(fdtri(freedom, degrees, _SPREAD_LEVEL)):
        return math.sqrt(known), degrees
    return math.sqrt(spread), freedom
