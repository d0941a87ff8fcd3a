"""Sends requests no faster than the dialect allows one connection, and all of them together."""

import time
from collections.abc import Callable, Sequence

import gevent
from gevent.lock import BoundedSemaphore

from capacity.workload.dialects.dialect import Dialect
from capacity.workload.profiles.pacing import request_interval_s
from capacity.workload.profiles.request_rate import request_rate

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
    ) -> None:
        self.interval_s = request_interval_s(dialect)
        """Between two requests of one connection; None where they are not paced."""
        self.clock_s = clock_s
        self.sleep = sleep
        self._rate = request_rate(dialect)
        self._shared_s = 0.0 if self._rate is None else self._rate.seconds(workers)
        self._turn = BoundedSemaphore(1)
        self._free_s = 0.0
        """When the next request of any connection may go out."""
        self._waiting = 0

    @property
    def are_given(self) -> bool:
        """Whether any request has to wait for its turn."""
        return self.interval_s is not None or self._rate is not None

    def connects_per_s(self, asked_per_s: float, channels: int) -> float:
        """Return how fast connections may open that follow so many *channels* each, at *asked_per_s* at most."""
        requests = 0 if self._rate is None else self._rate.of_new(channels)
        return min(asked_per_s, 1.0 / (self._shared_s * requests)) if requests else asked_per_s

    def wait_s(self, requests: int) -> float:
        """Return how long so many *requests*, each sent after the one before, will wait at present."""
        return requests * (self._waiting + 1) * self._shared_s

    def send(self, frame: bytes, send: Send) -> bool:
        """Hand *frame* to *send* in its turn; a connection that is gone takes none."""
        if self._rate is None:
            return send(frame)
        self._waiting += 1
        try:
            with self._turn:
                now_s = self.clock_s()
                due_s = max(now_s, self._free_s)
                self.sleep(due_s - now_s)
                is_sent = send(frame)
                if is_sent:
                    self._free_s = due_s + self._shared_s
                return is_sent
        finally:
            self._waiting -= 1


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
