"""Sets when connections are opened: Locust starts a second's users in one burst."""

import random
import time
from collections.abc import Callable

import gevent

from capacity.workload.arrivals import Arrivals, gap_s, opens_at_s


class Turnstile:
    """Lets connect attempts through at a rate, first come, first served.

    Turns are given out ahead and kept by the clock: attempts that take long delay no others.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = gevent.sleep,
    ) -> None:
        self.per_s = 100.0
        self._arrivals: Arrivals = arrivals
        self._clock_s = clock_s
        self._sleep = sleep
        self._next_s = 0.0

    def hold(self, seconds: float) -> None:
        """Let nobody through for that long."""
        self._next_s = max(self._next_s, self._clock_s() + seconds)

    def wait(self) -> None:
        now_s = self._clock_s()
        turn_s = max(now_s, self._next_s)
        random01 = random.random()  # noqa: S311 - chance, not secrecy
        self._next_s = turn_s + gap_s(self._arrivals, self.per_s, random01)
        self._sleep(max(0.0, opens_at_s(self._arrivals, turn_s) - now_s))
