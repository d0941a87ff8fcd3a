"""
How long M clients take to come back to what lets in μ connections a second, b of them at once.

Simulated, because habits, time-outs and stale work have no closed form together: each client waits as
its habit says, dials, and queues first come, first served. Its turn comes at max(a, v − (b − 1) / μ)
with a its arrival and v ← max(v, turn) + 1/μ (the generic cell rate algorithm, ITU-T I.371). Whoever
waits longer than the time-out leaves; the turn is spent on nobody all the same (Bronson et al., HotOS
2021), and the client dials again. A client that is let in is served after its handshake and the wait
for its first update, which are drawn.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

from capacity.domain.observation import Quantiles

_SIMULATED = 20_000
"""Clients in all repetitions together."""
FEWEST_TIMES, MOST_TIMES = 5, 40


FEWEST_TOGETHER = 10
TOGETHER_RATIO, SOONER_RATIO = 0.1, 0.8
"""Of the period: first updates that lie so close came at one moment, and one so early came on its way."""


def restored_times_s(
    clients: int,
    *,
    served_per_s: float,
    burst: int,
    timeout_s: float,
    wait_s: Callable[[int, float], float],
    after_s: Callable[[float, float], float],
    until_s: float,
    rng: Random,
) -> list[float]:
    """Return when each client is served again, seconds since the cut, in order; ∞ for not *until_s*.

    *wait_s* takes the number of failed attempts and a random number in [0, 1), *after_s* the time of a
    client's turn and such a number.
    """
    if served_per_s <= 0.0:
        return [math.inf] * clients
    turn_after_s = 1.0 / served_per_s
    virtual_s = -math.inf
    dials = [(wait_s(0, rng.random()), client, 0) for client in range(clients)]
    heapq.heapify(dials)
    restored_s = []
    while dials:
        at_s, client, failed = heapq.heappop(dials)
        if at_s > until_s:
            restored_s.append(math.inf)
            continue
        turn_s = max(at_s, virtual_s - (burst - 1) * turn_after_s)
        virtual_s = max(virtual_s, turn_s) + turn_after_s
        if turn_s - at_s <= timeout_s:
            restored_s.append(turn_s + after_s(turn_s, rng.random()))
        else:
            again_s = at_s + timeout_s + wait_s(failed + 1, rng.random())
            heapq.heappush(dials, (again_s, client, failed + 1))
    return sorted(restored_s)


def share_restored_s(restored_s: Sequence[float], clients: int, share_ratio: float) -> float | None:
    """Return when that share of the *clients* was served again; None if it never was."""
    needed = max(1, math.ceil(share_ratio * clients - 1e-9))
    if len(restored_s) < needed or math.isinf(restored_s[needed - 1]):
        return None
    return restored_s[needed - 1]


def repetitions(clients: int) -> int:
    """Return how often a storm of that many clients is simulated."""
    return min(MOST_TIMES, max(FEWEST_TIMES, _SIMULATED // max(1, clients)))


def shared_period_s(first_updates: Sequence[Quantiles]) -> float | None:
    """Return the period of updates that all subscribers get at the same moments; None without signs.

    Signs are of a time at which several subscribed at once, and had their first update together, sooner
    than the period: had each a clock of its own, or an update of its own at once, they had waited alike
    in every step.
    """
    period_s = max((seen.p99_s for seen in first_updates), default=0.0)
    is_shared = any(
        seen.count >= FEWEST_TOGETHER
        and seen.p95_s - seen.p50_s <= TOGETHER_RATIO * period_s
        and seen.p95_s < SOONER_RATIO * period_s
        for seen in first_updates
    )
    return period_s if is_shared else None


def drawn_between(
    quantiles: tuple[tuple[float, float], ...],
) -> Callable[[float], float]:
    """Return the inverse of a distribution of which some *quantiles* (share, value) are known.

    Straight lines between them, the first one going on below and the last value held above.
    """

    def value(random01: float) -> float:
        for (low, low_value), (high, high_value) in pairwise(quantiles):
            if random01 <= high:
                slope = (high_value - low_value) / (high - low)
                return max(0.0, low_value + (random01 - low) * slope)
        return quantiles[-1][1]

    return value
