"""
What lets connections in, from the moments at which it let them in while some waited.

A token bucket of size b that is filled at rate r has let in n(t) ≤ b + r·(t − t₀) by time t, t₀ being
when it let in the first one after a rest. Equality holds whenever somebody waits; one who is refused
at t says that n(t) ≤ b + r·(t − t₀) < n(t) + 1. t₀ lies between
the beginning of the first attempt and its end. Both give points of one line, whose slope is the rate
and whose height at t₀ is the burst. The first b are let in as fast as they can be served, below the
line: the line is fitted behind the first third of the time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from statistics import correlation, linear_regression, median

FEWEST_POINTS = 10
_BEHIND_RATIO = 0.3
"""Of the time, from which the line is fitted."""
FEWEST_WAITING = 4
"""Others that still waited when one was let in: fewer are on their way and in no queue."""
SHORTEST_S = 0.25
"""Time that a line spans; what is let in within less came in one go."""
STRAIGHT = 0.99
"""Correlation of time and number, of a line."""
_GAP_RATIO = 8.0
"""Over the usual gap: nobody was in the queue then, such as when connects were dropped."""


def admission(
    let_in_s: Sequence[tuple[float, float]], refused_s: Sequence[float] = ()
) -> tuple[float, int, int] | None:
    """Return rate per second, burst, and the points that tell; None where too few do.

    *let_in_s* are the beginnings of attempts and the moments at which they were let in, *refused_s*
    the moments of refusals, all in seconds of one clock.
    """
    if not let_in_s:
        return None
    ordered = sorted(let_in_s, key=lambda attempt: attempt[1])
    moments = [moment for _began, moment in ordered]
    points = (
        [(at, bisect_right(moments, at) + 0.5) for at in sorted(refused_s)]
        if len(refused_s) >= FEWEST_POINTS
        else _waited(ordered)
    )
    first_s = (ordered[0][0] + moments[0]) / 2.0
    points = [(at, n) for at, n in _unbroken(points, moments) if at > first_s]
    if len(points) < FEWEST_POINTS:
        return None
    from_s = first_s + _BEHIND_RATIO * (points[-1][0] - first_s)
    fitted = [(at - first_s, n) for at, n in points if at >= from_s]
    if len(fitted) < FEWEST_POINTS or fitted[-1][0] - fitted[0][0] < SHORTEST_S:
        return None
    times_s, numbers = zip(*fitted, strict=True)
    if correlation(times_s, numbers) < STRAIGHT:
        return None
    per_s, at_first = linear_regression(times_s, numbers)
    return per_s, max(1, round(at_first)), len(fitted)


def _waited(ordered: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return moment and number of each that was let in while others waited."""
    beginnings = sorted(began for began, _moment in ordered)
    return [
        (moment, float(n))
        for n, (_began, moment) in enumerate(ordered, start=1)
        if bisect_left(beginnings, moment) - n >= FEWEST_WAITING
    ]


def _unbroken(
    points: Sequence[tuple[float, float]], moments: Sequence[float]
) -> list[tuple[float, float]]:
    """Return the points up to where the queue ran empty for the first time."""
    if len(points) < FEWEST_POINTS:
        return list(points)
    gaps_s = [after - before for before, after in pairwise(moments)]
    usual_s = median(gaps_s[len(gaps_s) // 2 :] or gaps_s or [0.0])
    ends_s = points[-1][0]
    for gap_s, before in zip(gaps_s, moments, strict=False):
        if usual_s and gap_s > _GAP_RATIO * usual_s:
            ends_s = before
            break
    kept = [point for point in points if point[0] <= ends_s]
    return kept if len(kept) >= FEWEST_POINTS else list(points)
