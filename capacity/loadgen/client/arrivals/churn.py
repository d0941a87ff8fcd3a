"""Replaces connections at a constant pace while a step is held: what handshakes cost shows so.

Each connection in its turn is closed and opened again at once, so that the population stays: nobody is
replaced while more than a few of those before are still on their way back.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import gevent

from capacity.loadgen.client.arrivals.away import Drilled

MOST_AWAY_RATIO = 0.05
"""Of the connections, that may be on their way back when the next one is closed; one at least."""


class Churn:
    """One worker's share of the replacements."""

    def __init__(
        self,
        slots: Callable[[], Sequence[Drilled]],
        opened: Callable[[], int],
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = gevent.sleep,
    ) -> None:
        self._slots, self._opened = slots, opened
        self._clock_s = clock_s
        self._sleep = sleep
        self._per_s = 0.0
        self._turns: Iterator[Drilled] = iter(())
        self._greenlet: gevent.Greenlet | None = None

    def turn_to(self, per_s: float) -> None:
        """Replace that many connections a second from now on; 0 leaves them alone."""
        if per_s == self._per_s:
            return
        self.stop()
        self._per_s = per_s
        if per_s > 0:
            self._greenlet = gevent.spawn(self._renew_forever, 1.0 / per_s)

    def stop(self) -> None:
        self._per_s = 0.0
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
            self._greenlet = None

    def _renew_forever(self, interval_s: float) -> None:
        due_s = self._clock_s()
        while True:
            due_s = max(due_s + interval_s, self._clock_s())  # What could not be kept is let go.
            self._sleep(max(0.0, due_s - self._clock_s()))
            slot = self._next_open()
            if slot is not None:
                slot.renew()

    def _next_open(self) -> Drilled | None:
        """Return the connection whose turn it is; None while nothing is open, or too much is not."""
        slots = self._slots()
        if len(slots) - self._opened() > max(1, MOST_AWAY_RATIO * len(slots)):
            return None
        own = [slot for slot in slots if slot.churns] or slots
        for turns in (self._turns, iter(own)):
            self._turns = turns
            for slot in turns:
                if slot.is_open:
                    return slot
        return None
