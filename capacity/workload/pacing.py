"""A constant pace: requests have intended start times, whether or not the one before is done.

Latency counts from the intended start (Tene's coordinated omission: a client that waits for a
slow reply must not forget the requests that it should have sent meanwhile). A client that
cannot keep up works through what is overdue; what it will never catch up with is counted.
"""

import math

MOST_OVERDUE = 10
"""Requests that may be overdue at a time; beyond them the oldest are dropped."""


def intended_s(start_s: float, interval_s: float, n: int) -> float:
    """Return the intended start of request number *n*, from 0."""
    return start_s + n * interval_s


class ConstantPace:
    """The schedule of one client. It only computes; the caller waits."""

    __slots__ = ("_interval_s", "_next", "_start_s", "missed")

    def __init__(self, *, start_s: float, interval_s: float) -> None:
        self._start_s = start_s
        self._interval_s = interval_s
        self._next = 0
        self.missed = 0
        """Requests that were dropped because more than MOST_OVERDUE were due."""

    def next_intended_s(self, now_s: float) -> float:
        """Return when the next request should start; in the past if it is overdue."""
        due = math.floor((now_s - self._start_s) / self._interval_s) + 1
        dropped = max(0, due - MOST_OVERDUE - self._next)
        self.missed += dropped
        self._next += dropped + 1
        return intended_s(self._start_s, self._interval_s, self._next - 1)
