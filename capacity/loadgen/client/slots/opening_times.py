"""How long a connection took to be opened, confirmed and served first: each is told once."""

import time

from capacity.loadgen.protocol.counters import Counters


class OpeningTimes:
    """What of one connection's opening has begun and is not over."""

    __slots__ = ("_asked_s", "_data_asked_s", "_opened_s")

    def __init__(self) -> None:
        self._opened_s = 0.0
        """When it began to be opened, until its subscriptions are confirmed; 0 after that."""
        self._asked_s = 0.0
        """When the subscriptions were asked for that are not confirmed yet; 0 without such."""
        self._data_asked_s = 0.0
        """When the first subscriptions were, until the first update comes; 0 after that."""

    @property
    def are_due(self) -> bool:
        """Whether something is to be told yet."""
        return bool(self._asked_s or self._opened_s or self._data_asked_s)

    def begin(self, began_s: float) -> None:
        """Begin with the connect, at *began_s* in monotonic seconds."""
        self._opened_s = began_s

    def ask(self, asked_s: float, *, is_pending: bool, is_first: bool) -> None:
        """Take it that subscriptions were asked for; *is_first* where no update comes without them."""
        self._asked_s = asked_s if is_pending else 0.0
        self._data_asked_s = asked_s if is_first else 0.0

    def hold_back(self, held_s: float) -> None:
        """Leave out a time in which we ourselves held a request back."""
        self._opened_s = self._opened_s and self._opened_s + held_s
        self._asked_s = self._asked_s and self._asked_s + held_s
        self._data_asked_s = self._data_asked_s and self._data_asked_s + held_s

    def note_data(self, counters: Counters) -> bool:
        """Take it that an update came; return whether it is the first one."""
        if not self._data_asked_s:
            return False
        counters.opening["first_data"].append(_us_since(self._data_asked_s))
        self._data_asked_s = 0.0
        return True

    def note_confirmed(self, counters: Counters) -> None:
        """Take it that nothing is pending any more."""
        if self._opened_s:
            counters.handshake_time.append(_us_since(self._opened_s))
        if self._asked_s:
            counters.opening["subscription"].append(_us_since(self._asked_s))
        self._opened_s = self._asked_s = 0.0


def _us_since(moment_s: float) -> int:
    return round((time.monotonic() - moment_s) * 1e6)
