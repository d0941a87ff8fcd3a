"""Which connections are served, and not only open: asked of each of them on every plateau.

A connection whose other end is gone without a word (NAT, balancer, lost host) stays open here for ever.
It is told by what it does not bring: an update while others on the same channels have theirs, or the
answer to a ping. Pings go to those that were silent until the middle of a plateau, and before it to the few
newest, whatever they bring: who is sent all updates may still be one that the target does not read, as a loop
whose set of clients is full. Only if one of them does not answer at a target that answered all such at first
are all asked, so that a feed that flows costs the target three pings. What private connections hear is their account's own: they are asked only. While a ramp stands still a few are asked as well: a target that is full lets
nobody in and answers who is there, one that hangs answers nobody.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import gevent

from capacity.loadgen.client.slots.watched import Watched
from capacity.loadgen.protocol.counters import Counters
from capacity.loadgen.wire.epoll_set import spread
from capacity.workload.profiles.profile import Phase

NEWEST_AFTER_RATIO = 0.25
"""Of the plateau, when the newest are asked; they have as long to answer."""
PING_AFTER_RATIO = 0.5
PING_WITHIN_RATIO = 0.25
"""Of the plateau: when pings begin, and how long they are spread over. What is left is for the answers."""
WHOLE_RATIO = 0.9
"""Of its time: a plateau that was cut short says nothing of who is silent."""
CONTROLS = 3
ASK_EVERY_S, ANSWER_S = 2.0, 1.0
"""In a ramp in which nobody came since the last time, and how long an answer may take."""
CHANCE_FACTOR = 3.0
"""Of a feed that brings each connection its own updates at random, exp(-m) of them get none where m are
usual (Poisson). Only more silent ones than that many times are told."""


class Served:
    """Watches over the connections of one worker."""

    def __init__(
        self,
        slots: Callable[[], Iterable[Watched]],
        channels_of: Callable[[int], Sequence[str]],
        counters: Counters,
        *,
        are_alike: bool = True,
    ) -> None:
        """Watch *slots*; where they *are alike*, those on the same channels hear the same."""
        self._are_alike = are_alike
        self._slots = slots
        self._counters = counters
        self._channels_of = channels_of
        self._watched: list[tuple[Watched, float]] = []
        self._hold_s = 0.0
        self._began_s = 0.0
        self._has_pong = False
        self._answers_all: bool | None = None
        """Whether the newest of the first plateau answered, all of them; None until some were asked."""
        self._is_unread = False
        """On this plateau one of the newest did not, though those of the first one did."""
        self._pinging: gevent.Greenlet | None = None

    def turn_to(self, phase: str, hold_s: float) -> None:
        """Begin what there is to watch over in a phase; a plateau is of *hold_s*."""
        if phase == Phase.PLATEAU:
            self.begin(hold_s)
            return
        self.stop()
        if phase == Phase.RAMP:
            self._pinging = gevent.spawn(self._ask_while_nobody_comes)

    def begin(self, hold_s: float) -> None:
        """Begin a plateau of *hold_s*; what is open now is watched."""
        self.stop()
        self._hold_s, self._began_s = hold_s, time.monotonic()
        self._is_unread = False
        self._watched = [(slot, slot.born_s) for slot in self._slots() if slot.is_open]
        for slot, _born_s in self._watched:
            slot.begin_plateau()
        self._pinging = gevent.spawn(self._ping_silent)

    def sum_up(self, counters: Counters) -> None:
        """Add what is known of the plateau to *counters*, once, when it is over."""
        watched, self._watched = self._watched, []
        self.stop()
        if time.monotonic() - self._began_s < WHOLE_RATIO * self._hold_s:
            return
        whole = [slot for slot, born_s in watched if slot.is_judged and slot.born_s == born_s]
        asked = [slot for slot in whole if slot.has_answered is not None]
        self._has_pong = self._has_pong or any(slot.has_answered for slot in asked)
        gone = {
            slot.index
            for slot in asked
            if self._has_pong and not slot.has_answered and self._is_to_answer(slot)
        }
        if unconfirmed := sum(slot.unconfirmed for slot in whole):
            counters.fail("subscribe_unconfirmed", unconfirmed)
        following = [slot for slot in whole if slot.is_following]
        counters.followers += len(following)
        counters.pinged += sum(self._is_to_answer(slot) for slot in asked)
        counters.half_open += len(gone)
        alike = following if self._are_alike else []
        counters.unserved += sum(
            slot.index not in gone for slot in unserved(alike, self._channels_of)
        )

    def stop(self) -> None:
        if self._pinging is not None:
            self._pinging.kill(block=False)
            self._pinging = None

    def _ping_silent(self) -> None:
        gevent.sleep(NEWEST_AFTER_RATIO * self._hold_s)
        judged = [slot for slot, _born_s in self._watched if slot.is_judged]
        newest = sorted(judged, key=lambda slot: slot.born_s)[-CONTROLS:]
        for slot in newest:
            slot.ping()
        gevent.sleep((PING_AFTER_RATIO - NEWEST_AFTER_RATIO) * self._hold_s)
        self._judge([slot for slot in newest if slot.has_answered is not None])
        silent = [slot for slot in judged if slot.is_judged and self._is_to_answer(slot)]
        if silent:
            within_s = max(0.1, PING_WITHIN_RATIO * self._hold_s)
            # Some that are served tell whether the target answers pings at all.
            for slot in [slot for slot in judged if not self._is_to_answer(slot)][:CONTROLS]:
                slot.ping()
            spread(Watched.ping, silent, max(1.0, len(silent) / within_s))

    def _judge(self, newest: Sequence[Watched]) -> None:
        """Take what became of the pings to the *newest* connections that were asked."""
        has_all = all(slot.has_answered for slot in newest)
        if newest and self._answers_all is None:
            self._answers_all = has_all
        self._is_unread = bool(self._answers_all) and not has_all

    def _is_to_answer(self, slot: Watched) -> bool:
        """Tell whether a connection is judged by its answer to a ping, and not by its updates."""
        return self._is_unread or not slot.arrivals

    def _ask_while_nobody_comes(self) -> None:
        """Count those who answer, time after time, while no connection is opened."""
        before = 0
        while True:
            there = [slot for slot in self._slots() if slot.is_judged]
            if 0 < len(there) <= before:
                asked = there[:CONTROLS]
                for slot in asked:
                    slot.begin_plateau()
                    slot.ping()
                gevent.sleep(ANSWER_S)
                answering = sum(bool(slot.has_answered or slot.arrivals) for slot in asked)
                self._counters.answering += answering
            before = len(there)
            gevent.sleep(ASK_EVERY_S)


def unserved(
    slots: Sequence[Watched], channels_of: Callable[[int], Sequence[str]]
) -> list[Watched]:
    """Return those that brought no update while those on the same channels brought several."""
    groups = defaultdict[tuple[str, ...], list[Watched]](list)
    for slot in slots:
        groups[tuple(sorted(channels_of(slot.index)))].append(slot)
    found: list[Watched] = []
    for group in groups.values():
        silent = [slot for slot in group if not slot.arrivals]
        if silent and len(silent) < len(group):
            usual = sum(slot.arrivals for slot in group) / (len(group) - len(silent))
            if len(silent) > CHANCE_FACTOR * len(group) * math.exp(-usual):
                found += silent
    return found
