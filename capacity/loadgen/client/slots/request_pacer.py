"""Sends requests no faster than the dialect allows one connection, and all of them together."""

import time
from collections.abc import Callable, Sequence
from copy import copy

import gevent
from gevent.lock import BoundedSemaphore

from capacity.workload.dialects.dialect import Dialect
from capacity.workload.profiles.pacing import request_interval_s
from capacity.workload.profiles.request_rate import Privately, RequestRate, request_rate

Send = Callable[[bytes], bool]
"""Frame -> whether its connection is still there."""
Held = Callable[[float], None]
"""Is told for how many seconds a request that was sent had been held back."""


class SharedTurns:
    """What the connections of one worker share: its part of the dialect's pace, first come, first served."""

    def __init__(
        self,
        dialect: Dialect,
        workers: int = 1,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = gevent.sleep,
        *,
        private: Privately | None = None,
        orders_share: float = 0.0,
    ) -> None:
        """Give those of public connections; *private* ones, if there are any, take theirs `beside`.

        *orders_share* is what of the requests of traders goes over WebSockets.
        """
        self.interval_s = request_interval_s(dialect)
        """Between two requests of one connection; None where they are not paced."""
        self.clock_s = clock_s
        self.sleep = sleep
        rate = request_rate(dialect, private)
        self._pace = None if rate is None else _Pace(rate, workers, orders_share)

    def beside(self, dialect: Dialect) -> "SharedTurns":
        """Return those of connections that speak *dialect*, who share one pace with these."""
        other = copy(self)
        other.interval_s = request_interval_s(dialect)
        return other

    def leave_to_traders(self, orders_per_s: float) -> None:
        """Take as many less as the traders send meanwhile, who make *orders_per_s* on each worker."""
        if self._pace is not None:
            self._pace.leave(orders_per_s)

    @property
    def are_given(self) -> bool:
        """Whether any request has to wait for its turn."""
        return self.interval_s is not None or self._pace is not None

    def connects_per_s(self, asked_per_s: float, channels: int) -> float:
        """Return how fast connections may open, at *asked_per_s* at most; public ones follow so many *channels*."""
        if self._pace is None or not (requests := self._pace.rate.of_new(channels)):
            return asked_per_s
        return min(asked_per_s, 1.0 / (self._pace.interval_s * requests))

    def wait_s(self, requests: int) -> float:
        """Return how long so many *requests*, each sent after the one before, will wait at present."""
        pace = self._pace
        return 0.0 if pace is None else requests * (pace.waiting + 1) * pace.interval_s

    def send(self, frame: bytes, send: Send) -> bool:
        """Hand *frame* to *send* in its turn; a connection that is gone takes none."""
        pace = self._pace
        if pace is None:
            return send(frame)
        pace.waiting += 1
        try:
            with pace.turn:
                now_s = self.clock_s()
                due_s = max(now_s, pace.free_s)
                self.sleep(due_s - now_s)
                is_sent = send(frame)
                if is_sent:
                    pace.free_s = due_s + pace.interval_s
                return is_sent
        finally:
            pace.waiting -= 1


class _Pace:
    """Of all connections of one worker."""

    def __init__(self, rate: RequestRate, workers: int, orders_share: float) -> None:
        self.rate = rate
        self._workers, self._orders_share = workers, orders_share
        self.turn = BoundedSemaphore(1)
        self.free_s = 0.0
        """When the next request of any connection may go out."""
        self.waiting = 0

    def leave(self, orders_per_s: float) -> None:
        self.rate = self.rate.beside(self._workers * self._orders_share * orders_per_s)

    @property
    def interval_s(self) -> float:
        """Return the time between two requests of this worker."""
        return self.rate.seconds(self._workers)


class RequestPacer:
    """The requests of one connection slot, in the order in which they were asked for."""

    __slots__ = ("_free_s", "_turns", "_waiting")

    def __init__(self, turns: SharedTurns) -> None:
        self._turns = turns
        self._free_s = 0.0
        """When its next request may go out."""
        self._waiting: tuple[tuple[bytes, Send, Held], ...] = ()

    def send(self, frames: Sequence[bytes], send: Send, held: Held) -> None:
        """Hand *frames* to *send*: at once, or later as they may go; none once it returns False."""
        if not self._turns.are_given:
            for frame in frames:
                send(frame)
        elif frames:
            is_at_rest = not self._waiting
            self._waiting += tuple((frame, send, held) for frame in frames)
            if is_at_rest:
                gevent.spawn(self._send_in_turn)

    def _send_in_turn(self) -> None:
        try:
            while self._waiting:
                self._send_one(*self._waiting[0])
                self._waiting = self._waiting[1:]
        finally:
            self._waiting = ()

    def _send_one(self, frame: bytes, send: Send, held: Held) -> None:
        turns = self._turns
        began_s = turns.clock_s()
        due_s = max(began_s, self._free_s)
        turns.sleep(due_s - began_s)
        if turns.send(frame, send):
            sent_s = max(due_s, turns.clock_s())
            self._free_s = sent_s + (turns.interval_s or 0.0)
            held(sent_s - began_s)
