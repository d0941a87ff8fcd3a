"""The search for the most connections that a target holds, as a function of what was tried so far.

Grow by a factor until a count fails, then narrow the bracket: where the target itself said how many
it held, that count and the one just above it; else its middle. A count far from the limit is held
for a short time and one near it for longer (trials lengthen as the bracket narrows in MLRsearch,
draft-ietf-bmwg-mlrsearch), and the result must have been held for the longest. A short pass above a failure
proves nothing: the lowest failure bounds the bracket.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

FULL_HOLD_RATIO = 0.99
"""A trial that was meant to be held for so much of the longest time counts as held for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One count that was tried."""

    connections: int
    plateau_s: float
    """How long it was, or was to be, held."""
    failure: str | None
    """The condition that did not hold; None when the count passed."""
    held: int
    """Most connections open at once meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Where a search begins and ends."""

    start: int
    limit: int
    growth: float
    precision_ratio: float
    plateau_s: float
    longest_plateau_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """Between which counts the limit lies."""

    last_passing: int | None
    """None while no count passed below the lowest failure."""
    first_failing: int | None
    """None while nothing failed."""


def bracket_of(trials: Sequence[Trial]) -> Bracket:
    """Return the bracket that *trials*, in any order, leave."""
    failing = [trial.connections for trial in trials if trial.failure is not None]
    lowest = min(failing, default=None)
    passing = [
        trial.connections
        for trial in trials
        if trial.failure is None and (lowest is None or trial.connections < lowest)
    ]
    return Bracket(last_passing=max(passing, default=None), first_failing=lowest)


def next_trial(bounds: Bounds, trials: Sequence[Trial]) -> tuple[int, float] | None:
    """Return the count to try next and how long to hold it; None when the search is over."""
    bracket = bracket_of(trials)
    low, high = bracket.last_passing, bracket.first_failing
    if high is None:
        if low is None:
            return bounds.start, bounds.plateau_s
        if low >= bounds.limit:
            return _confirmation(bounds, trials, low)
        return min(bounds.limit, max(low + 1, math.ceil(low * bounds.growth))), bounds.plateau_s
    if low is None:
        below = max(1, math.floor(high / bounds.growth))
        return (below, bounds.plateau_s) if below < high else None
    resolution = max(1, math.floor(bounds.precision_ratio * low))
    if high - low <= resolution:
        return _confirmation(bounds, trials, low)
    count = _within(low, high, resolution, trials)
    nearness = 1.0 - min(1.0, (high - low) / (low * (bounds.growth - 1.0)))
    return count, bounds.plateau_s + nearness * (bounds.longest_plateau_s - bounds.plateau_s)


def _within(low: int, high: int, resolution: int, trials: Sequence[Trial]) -> int:
    # What a target held while it refused more is its limit, if a limit on a count is what it met.
    held = max(
        (trial.held for trial in trials if trial.failure is not None and trial.held < high),
        default=0,
    )
    if low < held:
        return held
    return low + resolution if held == low else (low + high) // 2


def _confirmation(bounds: Bounds, trials: Sequence[Trial], low: int) -> tuple[int, float] | None:
    longest_s = max(
        trial.plateau_s for trial in trials if trial.connections == low and trial.failure is None
    )
    if longest_s >= bounds.longest_plateau_s * FULL_HOLD_RATIO:
        return None
    return low, bounds.longest_plateau_s
