"""When a client dials again.

Real clients: ccxt dials at once, cryptofeed after 1 s and then doubling without jitter,
python-binance after random() · min(60, 2ⁿ − 1) + 1 s. Full jitter: Brooker, "Exponential
Backoff And Jitter" (AWS Architecture Blog, 2015).
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconnectPolicy:
    policy: Literal["immediate", "fixed", "exponential", "full_jitter"]
    base_s: float = 1.0
    """First delay."""
    factor: float = 2.0
    """Growth of the delay with each failed attempt."""
    cap_s: float = 60.0
    """Longest delay."""

    def delay_s(self, attempt: int, random01: float) -> float:
        """Return the wait before attempt number *attempt* (from 0), *random01* in [0, 1)."""
        if self.policy == "immediate":
            return 0.0
        if self.policy == "fixed":
            return self.base_s
        try:
            backoff_s = min(self.cap_s, self.base_s * self.factor**attempt)
        except OverflowError:
            backoff_s = self.cap_s
        return backoff_s * random01 if self.policy == "full_jitter" else backoff_s
