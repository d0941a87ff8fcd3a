"""Does what was ordered to go wrong, at its time, to those whom the seed draws."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from fnmatch import fnmatchcase
from functools import partial
from random import Random

from capacity.exchange.counters import Counters
from capacity.exchange.faults.ordered_faults import Burst, Fault, HalfOpen, Skip, Stall
from capacity.exchange.market.publisher import Publisher
from capacity.exchange.peer import Peer

log = logging.getLogger(__name__)


class Injector:
    def __init__(
        self,
        faults: Sequence[Fault],
        *,
        seed: int,
        sessions: Collection[Peer],
        publisher: Publisher,
        counters: Counters,
    ) -> None:
        """Do *faults* once started; *sessions* are those that are open, in the order they came."""
        self._faults = faults
        self._random = Random(f"{seed}:faults")  # noqa: S311 - a draw, not a secret
        self._sessions = sessions
        self._publisher = publisher
        self._counters = counters
        self._timers: set[asyncio.TimerHandle] = set()

    def start(self) -> None:
        for fault in self._faults:
            self._later(fault.after_s, partial(self._do, fault))

    def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()

    def order(self, fault: Fault) -> int | None:
        """Do *fault* when it is due; return how many connections it befell, None where that is later."""
        if not fault.after_s:
            return self._do(fault)
        self._later(fault.after_s, partial(self._do, fault))
        return None

    def _later(self, delay_s: float, deed: Callable[[], object]) -> None:
        def do() -> None:
            self._timers.discard(timer)
            deed()

        timer = asyncio.get_running_loop().call_later(delay_s, do)
        self._timers.add(timer)

    def _do(self, fault: Fault) -> int:
        if fault.every_s is not None:
            self._later(fault.every_s, partial(self._do, fault))
        befallen: Sequence[Peer] = list(self._sessions)
        if isinstance(fault, Burst):
            self._publisher.burst(fault.updates)
        elif befallen:
            most = max(1, round(fault.share_ratio * len(befallen)))
            befallen = self._random.sample(befallen, most)
            self._spoil(befallen, fault)
        self._counters.faults += 1
        log.warning("fault %s befell %d of %d connections", fault.kind, len(befallen), self._open)
        return len(befallen)

    @property
    def _open(self) -> int:
        return len(self._sessions)

    def _spoil(self, sessions: Sequence[Peer], fault: Skip | Stall | HalfOpen) -> None:
        for session in sessions:
            outlet = session.spoiled()
            match fault:
                case Skip():
                    for channel in session.channels:
                        if fnmatchcase(channel, fault.channels):
                            outlet.skip(channel, fault.updates)
                case Stall():
                    outlet.hold()
                    self._later(fault.for_s, outlet.let_go)
                case HalfOpen():
                    outlet.mute()
