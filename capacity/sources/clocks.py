"""How far another host's clock is from ours, by asking it what time it is (Cristian, 1989)."""

import time
from collections.abc import Callable

from capacity.domain.run import ClockOffset


def least_error_offset(
    read_at: Callable[[], float], probes: int, *, tick_s: float = 0.0
) -> ClockOffset:
    """Return the other clock minus ours, from the one of *probes* with the least round trip.

    *read_at* asks for the other clock's time, epoch seconds, which is cut off to *tick_s*.
    """
    found = []
    for _ in range(probes):
        asked_at = time.time()
        there_at = read_at()
        answered_at = time.time()
        found.append(offset_between(asked_at, there_at, answered_at, tick_s=tick_s))
    return min(found, key=lambda offset: offset.error_s)


def offset_between(
    asked_at: float, there_at: float, answered_at: float, *, tick_s: float = 0.0
) -> ClockOffset:
    """Return the other clock minus ours: it was read at some time between question and answer."""
    return ClockOffset(
        offset_s=there_at - (asked_at + answered_at) / 2,
        error_s=(answered_at - asked_at) / 2 + tick_s,
    )
