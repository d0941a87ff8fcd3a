"""How fast connections may be opened, by how those before were taken in: no socket, no clock.

As TCP probes a path (slow start and congestion avoidance, RFC 5681): from a low rate it doubles
every second while handshakes stay fast; the first slow or failed one halves it, and from then on it
grows by a twentieth a second. So an accept queue is found before it overflows.
"""

from statistics import median

from capacity.domain.load import SLOW_HANDSHAKE_RATIO, SLOW_HANDSHAKE_S

START_PER_S = 10.0
SLOWEST_PER_S = 1.0
USUAL_OF = 8
"""The first handshakes, whose median is what is usual."""
IN_FLIGHT_S = 0.1
"""Attempts under way at once are at most what the rate starts in this time, or in twice what is usual
where that is longer, and never below four: a target that answers nobody holds up no more."""
FEWEST_IN_FLIGHT = 4
_GROWTH_RATIO = 0.05


class ConnectRate:
    """The rate of one worker's share, at most `most_per_s`."""

    def __init__(self) -> None:
        self.most_per_s = 100.0
        self._per_s = START_PER_S
        self._is_probing = True
        """Nothing was slow yet."""
        self._first_s: list[float] = []
        self._slowed_at_s = float("-inf")

    @property
    def per_s(self) -> float:
        return min(self._per_s, self.most_per_s)

    @property
    def in_flight(self) -> int:
        """Return how many attempts may be under way at once."""
        usual_s = median(self._first_s) if self._first_s else 0.0
        return max(FEWEST_IN_FLIGHT, int(self.per_s * max(IN_FLIGHT_S, 2.0 * usual_s)))

    def opened(self, began_s: float, took_s: float) -> None:
        """Take an attempt that succeeded in *took_s*."""
        if len(self._first_s) < USUAL_OF:
            self._first_s.append(took_s)
        if took_s > max(SLOW_HANDSHAKE_S, SLOW_HANDSHAKE_RATIO * median(self._first_s)):
            self._slow_down(began_s, began_s + took_s)
        elif self._per_s < self.most_per_s:
            # One success in 1/rate seconds: +0.7 each doubles the rate within a second.
            self._per_s += 0.7 if self._is_probing else _GROWTH_RATIO

    def failed(self, began_s: float, took_s: float) -> None:
        """Take an attempt that failed after *took_s*."""
        self._slow_down(began_s, began_s + took_s)

    def ease(self, ratio: float) -> None:
        """Go on at *ratio* of the rate, and grow gently from then on."""
        self._is_probing = False
        self._per_s = max(SLOWEST_PER_S, self.per_s * ratio)

    def _slow_down(self, began_s: float, now_s: float) -> None:
        if began_s < self._slowed_at_s:
            return  # It began at the rate that was too fast and is answered already.
        self._slowed_at_s = now_s
        self._is_probing = False
        self._per_s = max(SLOWEST_PER_S, self.per_s / 2.0)
