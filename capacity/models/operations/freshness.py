"""
Freshness of one instrument as a client holds it: what was measured, and closed forms beside it.

The source changes at moments s₁ < s₂ < …; a client holds the newest of them that reached it. At a
moment t, of what it holds:

age of information   t − s of the newest change held (Kaul, Yates & Gruteser, INFOCOM 2012)
staleness            0 while nothing newer exists, else the time since the first change not held
                     (Cho & Garcia-Molina, SIGMOD 2000); it is what a trader may act wrongly on
version age          changes that exist and are not held

All are time averages between two moments, not averages over arrivals: a silent socket ages. For a
source that changes at random (Poisson) with rate λ, polled every P, r = λP, replies taking D:

stale share  1 − (1 − e⁻ʳ)/r          staleness  P·(½ − 1/r + (1 − e⁻ʳ)/r²)
age          1/λ + P/2 + D            version age  λ·(P/2 + D)

The first two are without D. Pushed with a delay D: age 1/λ + D, version age λD, stale share
1 − e⁻ᵏ and staleness D − (1 − e⁻ᵏ)/λ with k = λD.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capacity.domain.observation import FreshnessFigures

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessMeans:
    """Time averages; seconds."""

    age_s: float
    stale_share: float
    staleness_s: float
    version_age: float


def polled(changes_per_s: float, interval_s: float, reply_s: float = 0.0) -> FreshnessMeans:
    """Return what polling every *interval_s* gives; staleness and its share without the reply's time."""
    r = changes_per_s * interval_s
    fresh = -math.expm1(-r) / r
    return FreshnessMeans(
        age_s=1.0 / changes_per_s + interval_s / 2 + reply_s,
        stale_share=1.0 - fresh,
        staleness_s=interval_s * (0.5 - 1.0 / r + fresh / r),
        version_age=changes_per_s * (interval_s / 2 + reply_s),
    )


def pushed(changes_per_s: float, delay_s: float) -> FreshnessMeans:
    """Return what pushing each change with *delay_s* gives."""
    share = -math.expm1(-changes_per_s * delay_s)
    return FreshnessMeans(
        age_s=1.0 / changes_per_s + delay_s,
        stale_share=share,
        staleness_s=delay_s - share / changes_per_s,
        version_age=changes_per_s * delay_s,
    )


def poll_interval_s_as_fresh(changes_per_s: float, stale_share: float) -> float:
    """Return the P at which a poller is stale for that share of the time (above 0, below 1)."""
    # Of what is fresh, (1 − e⁻ʳ)/r, 1/r is more.
    low_s, high_s = 0.0, 1.0 / (changes_per_s * (1.0 - stale_share))
    for _ in range(60):
        middle_s = (low_s + high_s) / 2
        if polled(changes_per_s, middle_s).stale_share < stale_share:
            low_s = middle_s
        else:
            high_s = middle_s
    return high_s


def measured(
    changes_s: Sequence[float],
    arrivals: Sequence[tuple[float, int]],
    *,
    until_s: float,
    objective_s: float | None = None,
) -> FreshnessFigures | None:
    """Return the freshness of a client from its first arrival to *until_s*; None without an arrival.

    *changes_s* are the moments of the source's changes, ascending. An arrival is its moment, and how
    many of the changes the client holds from then on (at least 1); all on the source's clock.
    """
    changes = np.asarray(changes_s, dtype=np.float64)
    found = [(at_s, held) for at_s, held in arrivals if held >= 1 and at_s < until_s]
    if not found or not len(changes):
        return None
    at = np.array([at_s for at_s, _held in found])
    held = np.minimum(np.maximum.accumulate([held for _at, held in found]), len(changes))
    # Pieces in which neither side moves: nothing happens between two of these moments.
    inside = changes[(changes > at[0]) & (changes < until_s)]
    edges = np.unique(np.concatenate([at, inside, [until_s]]))
    begins, ends = edges[:-1], edges[1:]
    spans = ends - begins
    owned = held[np.searchsorted(at, begins, side="right") - 1]
    exist = np.searchsorted(changes, begins, side="right")
    unseen = np.maximum(exist - owned, 0)
    first_unseen = changes[np.minimum(owned, len(changes) - 1)]
    stale = unseen > 0
    origin = changes[owned - 1]
    total_s = float(spans.sum())
    middle_s = (begins + ends) / 2
    ages_before = at[1:] - changes[held[:-1] - 1]
    newer = held[1:] > held[:-1]
    return FreshnessFigures(
        age_s=float(((middle_s - origin) * spans).sum()) / total_s,
        stale_share=float(spans[stale].sum()) / total_s,
        staleness_s=float(((middle_s - first_unseen) * spans)[stale].sum()) / total_s,
        version_age=float((unseen * spans).sum()) / total_s,
        peak_age_s=float(ages_before[newer].mean()) if newer.any() else until_s - float(origin[-1]),
        late_share=None
        if objective_s is None
        else _late(begins, ends, origin, objective_s) / total_s,
        seconds=total_s,
    )


def _late(begins: Times, ends: Times, origin: Times, objective_s: float) -> float:
    """Return the seconds in which the age since *origin* was above the objective."""
    return float(np.clip(ends - np.maximum(begins, origin + objective_s), 0.0, None).sum())
