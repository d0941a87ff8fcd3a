"""When a client dials again.

Real clients: ccxt dials at once, cryptofeed after 1 s and then doubling without jitter,
python-binance after random() · min(60, 2ⁿ − 1) + 1 s. Full jitter: Brooker, "Exponential
Backoff And Jitter" (AWS Architecture Blog, 2015).
"""

from dataclasses import dataclass
from typing import Literal

Policy = Literal["immediate", "fixed", "exponential", "full_jitter", "retry_after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconnectPolicy:
    policy: Policy
    base_s: float = 1.0
    """First delay."""
    factor: float = 2.0
    """Growth of the delay with each failed attempt."""
    cap_s: float = 60.0
    """Longest delay."""

    def delay_s(self, attempt: int, random01: float, asked_s: float | None = None) -> float:
        """Return the wait before attempt number *attempt* (from 0), *random01* in [0, 1).

        *asked_s* is what the target asked for when it refused the one before (Retry-After): a client
        that heeds it waits just as long, and dials at once where nobody refused it yet.
        """
        if self.policy == "immediate":
            return 0.0
        if self.policy == "retry_after" and (asked_s is not None or attempt == 0):
            return asked_s or 0.0
        if self.policy == "fixed":
            return self.base_s
        try:
            backoff_s = min(self.cap_s, self.base_s * self.factor**attempt)
        except OverflowError:
            backoff_s = self.cap_s
        return backoff_s * random01 if self.policy == "full_jitter" else backoff_s


LEAST_RETRY_S = 0.1
"""In a drill, between a failure and the next attempt of the same client, whatever its habit."""
WAITS = 12
"""Attempts after which no habit waits longer."""
_ALMOST_ONE = 1.0 - 1e-9


def waits_s(habit: ReconnectPolicy) -> tuple[tuple[float, float], ...]:
    """Return the shortest and the longest wait before each of the first attempts, in seconds."""
    return tuple(
        (habit.delay_s(attempt, 0.0), habit.delay_s(attempt, _ALMOST_ONE))
        for attempt in range(WAITS)
    )
