"""A connection on which something goes wrong on purpose: updates left out, held back, or silence."""

from capacity.exchange.counters import Counters
from capacity.exchange.frames import Outlet

_HEAD = b'"method":"subscription","params":{"channel":"'
_HEAD_WITHIN = 80
"""Bytes of an update's frame within which its head begins and ends."""


class SpoiledOutlet:
    """Stands before a connection from its first fault on, and passes on what no fault is about."""

    __slots__ = ("_before", "_counters", "_held", "_holds", "_is_mute", "_skips")

    def __init__(self, before: Outlet, counters: Counters) -> None:
        self._before = before
        self._counters = counters
        self._skips: dict[str, int] = {}
        self._held: list[tuple[str, bytes]] = []
        self._holds = 0
        self._is_mute = False

    @property
    def is_mute(self) -> bool:
        return self._is_mute

    def skip(self, channel: str, updates: int) -> None:
        """Leave out the next *updates* of *channel*, beside those that are to be left out already."""
        self._skips[channel] = self._skips.get(channel, 0) + updates

    def hold(self) -> None:
        """Hold updates back, not answers, until they are let go as often as they were held."""
        self._holds += 1

    def let_go(self) -> None:
        """Send what was held back, in its order, unless something else holds it still."""
        self._holds -= 1
        if self._holds:
            return
        held, self._held = self._held, []
        for channel, frame in held:
            if not self.is_closing():
                self._counters.deliveries += 1
                self.write_update(channel, frame)

    def mute(self) -> None:
        """Send nothing from now on, neither answer nor end: the other side alone believes in us."""
        self._is_mute = True
        self._counters.withheld += len(self._held)
        self._held.clear()

    def write(self, frame: bytes) -> None:
        channel = channel_of(frame)
        if channel is None:
            if not self._is_mute:
                self._before.write(frame)
        else:
            self.write_update(channel, frame)

    def write_update(self, channel: str, frame: bytes) -> None:
        """Write an update of *channel*, unless a fault is about it."""
        if self._is_mute or self._skips.get(channel):
            self._withhold()
            self._note_skipped(channel)
        elif self._holds:
            self._counters.deliveries -= 1
            self._held.append((channel, frame))
        else:
            self._before.write(frame)

    def get_write_buffer_size(self) -> int:
        """Return the bytes that wait; 0 of a mute connection, which is none that could be ended as too slow."""
        return 0 if self._is_mute else self._before.get_write_buffer_size()

    def is_closing(self) -> bool:
        return self._before.is_closing()

    def close(self) -> None:
        if not self._is_mute:
            self._before.close()

    def abort(self) -> None:
        if not self._is_mute:
            self._before.abort()

    def _withhold(self) -> None:
        self._counters.deliveries -= 1
        self._counters.withheld += 1

    def _note_skipped(self, channel: str) -> None:
        left = self._skips.pop(channel, 0) - 1
        if left > 0:
            self._skips[channel] = left


def channel_of(frame: bytes) -> str | None:
    """Return the channel that an update in Deribit's dialect is of; None of what is none."""
    begins = frame.find(_HEAD, 0, _HEAD_WITHIN)
    if begins < 0:
        return None
    begins += len(_HEAD)
    return frame[begins : frame.index(b'"', begins)].decode()
