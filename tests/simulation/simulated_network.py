"""The lines between a master and its workers, and what happens to messages on them.

ZeroMQ over TCP keeps the order of a line, and loses what was under way when a line is cut. Of a hostile
line more is asked: there messages are lost, doubled and overtaken one by one.
"""

from dataclasses import dataclass

import msgpack


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the lines of one simulation do to messages."""

    slowest_s: float
    """Most messages take up to a hundredth of that, some up to this."""
    lost_ratio: float = 0.0
    doubled_ratio: float = 0.0
    overtaken_ratio: float = 0.0


class Line:
    """One direction of one connection."""

    def __init__(self, clock, chance, weather, receiver, deliver):
        self._clock, self._chance, self._weather = clock, chance, weather
        self._receiver, self._deliver = receiver, deliver
        self._last_at_s = 0.0
        self.is_cut = False
        self.calm_from_s = float("inf")
        """From then on nothing happens to a message any more."""

    def send(self, kind, body, sender):
        if self.is_cut:
            return
        # As on the wire: nobody shares an object with who sent it.
        wire = msgpack.packb((kind, body, sender))
        is_calm = self._clock.now_s >= self.calm_from_s
        if not is_calm and self._chance.random() < self._weather.lost_ratio:
            return
        self._put(wire, is_calm)
        if not is_calm and self._chance.random() < self._weather.doubled_ratio:
            self._put(wire, is_calm)

    def _put(self, wire, is_calm):
        at_s = self._clock.now_s + (0.001 if is_calm else self._delay_s())
        if is_calm or self._chance.random() >= self._weather.overtaken_ratio:
            at_s = max(at_s, self._last_at_s)
            self._last_at_s = at_s + 1e-9
        self._clock.at(at_s, self._receiver, self._arrive, wire)

    def _delay_s(self):
        slowest_s = self._weather.slowest_s
        return slowest_s * (self._chance.random() ** 2 if self._chance.random() < 0.1 else 0.01)

    def _arrive(self, wire):
        if not self.is_cut:
            message = msgpack.unpackb(wire, strict_map_key=False)
            self._clock.spawn_in(self._receiver, self._deliver, *message)
