"""A constant pace: requests have intended start times, whether or not the one before is done.

Latency counts from the intended start (Tene's coordinated omission: a client that waits for a
slow reply must not forget the requests that it should have sent meanwhile). A client that
cannot keep up works through what is overdue; what it will never catch up with is counted.
"""

import math
from email.utils import parsedate_to_datetime

from capacity.workload.dialects.dialect import Dialect

PACING_MARGIN = 1.05

MOST_OVERDUE = 10
"""Requests that may be overdue at a time; beyond them the oldest are dropped."""

MOST_PAUSE_S = 60.0
"""Longest pause that a target may ask for; a longer one would end the load unseen."""


def asked_pause_s(retry_after: str | None, now_at: float) -> float:
    """Return how long a Retry-After header (RFC 9110 §10.2.3) asks to wait, from epoch *now_at*.

    It holds seconds or a date; anything else asks for nothing.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        asked_s = float(text)
    else:
        try:
            asked_s = parsedate_to_datetime(text).timestamp() - now_at
        except ValueError:
            return 0.0
    return min(max(asked_s, 0.0), MOST_PAUSE_S)


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


def shared_pace(
    ordinal: int, members: int, rate_per_s: float, longest_interval_s: float
) -> tuple[float, float] | None:
    """Return interval and first delay in seconds of one of *members* who share a rate.

    As few are active as keep it up with one start in *longest_interval_s* each; None for the others.
    """
    active = min(members, max(1, round(rate_per_s * longest_interval_s)))
    if rate_per_s <= 0 or ordinal >= active:
        return None
    interval_s = active / rate_per_s
    return interval_s, interval_s * ordinal / active


def request_interval_s(dialect: Dialect) -> float | None:
    """Return the time between two requests of one connection; None where they are not paced.

    A little longer than it need be: what is sent evenly arrives less evenly.
    """
    most_per_s = dialect.ws.requests_per_s
    return None if most_per_s is None else PACING_MARGIN / most_per_s
