"""Sets when connections are opened: Locust starts a second's users in one burst.

A careful pacer begins slowly and goes faster only while the target takes connections in quickly
(workload.connect_rate). Where the target lets nobody in any more it gives up until the next step:
what a target refuses is a finding, and each further attempt only harms it.
"""

import random
import time
from collections.abc import Callable

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from capacity.workload.profiles.arrivals import Arrivals, gap_s, opens_at_s
from capacity.workload.profiles.connect_rate import ConnectRate

GIVES_UP_AFTER = 10
"""Failures one after the other: no chance, but a cap."""
_LOOK_AGAIN_S = 0.01
_TAKEN_BACK_S = 1.0
"""For so long after a connection was refused behind its upgrade, an upgrade is no success."""


class ConnectPacer:
    """Lets connect attempts through at a rate, first come, first served.

    Turns are kept by the clock: attempts that take long delay no others, unless it is careful and too
    many are under way.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = gevent.sleep,
        *,
        is_careful: bool = False,
    ) -> None:
        self.per_s = 100.0
        self._clock_s = clock_s
        self._sleep = sleep
        self.failures: dict[str, int] = {}
        """Reason -> count in this step."""
        self._arrivals: Arrivals = arrivals
        self._rate = ConnectRate() if is_careful else None
        self._next_s = 0.0
        self._turn = BoundedSemaphore(1)
        self._under_way = 0
        self._owed = 0
        self._in_a_row = 0
        self._taken_back_s = float("-inf")
        self._step = -1
        self._most_failures: int | None = None
        self._is_open = Event()
        self._is_open.set()

    @property
    def under_way(self) -> int:
        """Count of the attempts that have neither succeeded nor failed yet."""
        return self._under_way

    @property
    def has_given_up(self) -> bool:
        return not self._is_open.is_set()

    def turn_to(self, step: int, per_s: float, most_failures: int | None) -> None:
        """Let through *per_s* at most; a new step begins without failures."""
        if self._rate is not None:
            if step == self._step and per_s < self.per_s:
                self._rate.ease(per_s / self.per_s)
            self._rate.most_per_s = per_s
        self.per_s, self._most_failures = per_s, most_failures
        if step >= 0 and step != self._step:
            self._step, self._in_a_row, self.failures = step, 0, {}
            self._is_open.set()

    def hold(self, seconds: float) -> None:
        """Let nobody through for that long."""
        self._next_s = max(self._next_s, self._clock_s() + seconds)

    def owe(self) -> None:
        """Let one through at once: it comes back for a connection that the target ended by its age."""
        self._owed += 1

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        if self._owed:
            self._owed -= 1
            return
        if self._rate is None:
            self._sleep_until_turn(self.per_s)
            return
        with self._turn:
            self._is_open.wait()
            while self._under_way >= self._rate.in_flight:
                self._sleep(_LOOK_AGAIN_S)
            self._sleep_until_turn(self._rate.per_s)

    def began(self) -> float:
        """Note an attempt; return its start, to be given to `opened` or `failed`, one of them."""
        self._under_way += 1
        return self._clock_s()

    def left(self) -> None:
        """Note that an attempt was given up by ourselves."""
        self._under_way -= 1

    def opened(self, began_s: float) -> None:
        self._under_way -= 1
        if self._clock_s() - self._taken_back_s > _TAKEN_BACK_S:
            self._in_a_row = 0
        if self._rate is not None:
            self._rate.opened(began_s, self._clock_s() - began_s)

    def failed(self, began_s: float, reason: str) -> None:
        self._under_way -= 1
        if self._rate is not None:
            self._rate.failed(began_s, self._clock_s() - began_s)
        self.note_failure(reason)

    def taken_back(self, reason: str) -> None:
        """Note that a connection was refused after it had been let in."""
        self._taken_back_s = self._clock_s()
        if self._rate is not None:
            self._rate.failed(self._taken_back_s, 0.0)
        self.note_failure(reason)

    def note_failure(self, reason: str) -> None:
        """Take a refusal, or an open connection that the target ended; perhaps give up."""
        self.failures[reason] = self.failures.get(reason, 0) + 1
        self._in_a_row += 1
        most = self._most_failures
        if most is not None and (
            self._in_a_row >= min(GIVES_UP_AFTER, most) or sum(self.failures.values()) >= most
        ):
            self._is_open.clear()

    def _sleep_until_turn(self, per_s: float) -> None:
        now_s = self._clock_s()
        turn_s = max(now_s, self._next_s)
        random01 = random.random()  # noqa: S311 - chance, not secrecy
        self._next_s = turn_s + gap_s(self._arrivals, per_s, random01)
        self._sleep(max(0.0, opens_at_s(self._arrivals, turn_s) - now_s))
