"""The clients of one worker that were cut in a storm drill, and how they come back.

One of those that dial at once is let in before the others begin, for as long as a moment: from when its
answer came, an acceptor's burst is counted. They dial when their habit says so and not when a pacer lets them: that is what a storm is.
"""

import math
import random
import time
from collections.abc import Sequence
from typing import Any

import gevent
from gevent.event import Event
from gevent.queue import SimpleQueue

from capacity.loadgen.client.arrivals.away import Drilled
from capacity.loadgen.protocol.instructions import DrillInstructions
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.workload.profiles.pacing import asked_pause_s
from capacity.workload.reconnect import LEAST_RETRY_S, ReconnectPolicy

_SERVED = ""
FIRST_DIAL_WAIT_S = 0.05
"""As long as the others wait at most for the first one."""


class _Client:
    """One that was cut; what becomes of its connection is told here."""

    __slots__ = ("news", "slot")

    def __init__(self, slot: Drilled) -> None:
        self.slot = slot
        self.news: SimpleQueue[str] = SimpleQueue()

    def served(self) -> None:
        self.news.put(_SERVED)

    def lost(self, reason: str) -> None:
        self.news.put(reason)


class Returning:
    """One worker's part in a drill, from the cut to its end."""

    def __init__(self, drill: DrillInstructions, slots: Sequence[Drilled]) -> None:
        """Cut a share of the open *slots* now, evenly chosen, and let them come back."""
        self._habit = ReconnectPolicy(
            policy=drill.policy, base_s=drill.base_s, factor=drill.factor, cap_s=drill.cap_s
        )
        self._attempts: list[tuple[float, float, str]] = []
        self._restored_s: list[float] = []
        self._clients = [_Client(slot) for n, slot in enumerate(slots) if is_cut(n, drill)]
        self.began_at = time.time()
        self._began_s = time.monotonic()
        for client in self._clients:
            client.slot.hand_over(client)
        self._first_is_in = Event()
        self._greenlets = [
            gevent.spawn(self._bring_back, client, is_first=n == 0)
            for n, client in enumerate(self._clients)
        ]

    def take(self) -> dict[str, Any]:
        """Return what happened since the last call as plain msgpack data."""
        attempts, restored_s = self._attempts, self._restored_s
        self._attempts, self._restored_s = [], []
        return {
            "began_at": self.began_at,
            "cut": len(self._clients),
            "attempts": attempts,
            "restored_s": restored_s,
        }

    def end(self) -> None:
        """Give all clients back to whoever owns them, those that are still out as well."""
        gevent.killall(self._greenlets, block=False)
        for client in self._clients:
            client.slot.hand_back()

    def _bring_back(self, client: _Client, *, is_first: bool) -> None:
        failed, asked_s, is_back = 0, None, False
        while True:
            gevent.sleep(self._wait_s(failed, asked_s))
            if not failed and not is_first and self._now_s() < FIRST_DIAL_WAIT_S:
                self._first_is_in.wait(FIRST_DIAL_WAIT_S)
            began_s = self._now_s()
            try:
                client.slot.open()
            except HandshakeError as error:
                self._first_is_in.set()
                self._attempts.append((began_s, self._now_s(), str(error)))
                failed, asked_s = failed + 1, _asked_s(error)
                continue
            self._first_is_in.set()
            self._attempts.append((began_s, self._let_in_s(client.slot), ""))
            while client.news.get() == _SERVED:
                if not is_back:
                    self._restored_s.append(self._now_s())
                    is_back = True
            failed, asked_s = failed + 1, None

    def _wait_s(self, failed: int, asked_s: float | None) -> float:
        wait_s = self._habit.delay_s(failed, random.random(), asked_s)  # noqa: S311 - chance, not secrecy
        return max(wait_s, LEAST_RETRY_S) if failed else wait_s

    def _now_s(self) -> float:
        return time.monotonic() - self._began_s

    def _let_in_s(self, slot: Drilled) -> float:
        """Return when the answer to the upgrade arrived, by the kernel's stamp where there is one."""
        now_s = self._now_s()
        return now_s if slot.upgraded_at_s is None else now_s - (time.time() - slot.upgraded_at_s)


def is_cut(n: int, drill: DrillInstructions) -> bool:
    """Tell whether connection number *n* is one of those that are cut: every so many-th of them."""
    return math.floor((n + 1) * drill.share_ratio + 1e-9) > math.floor(n * drill.share_ratio + 1e-9)


def _asked_s(error: HandshakeError) -> float | None:
    if error.retry_after is None:
        return None
    return asked_pause_s(error.retry_after, time.time())
