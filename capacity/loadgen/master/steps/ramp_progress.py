"""How a ramp gets on: a careful one takes as long as its connections become more."""


class RampProgress:
    """The most connections that were open in a step, and since when there were no more."""

    def __init__(self) -> None:
        self.gap_s = 0.0
        """The longest time between two connects at our own pace, which is no stall."""
        self._most = 0
        self._since_s = 0.0

    def begin(self, connections: int, elapsed_s: float) -> None:
        """Begin a step with so many open, at *elapsed_s* of the run: when the first more may come."""
        self._most, self._since_s = connections, elapsed_s

    def note(self, connections: int, elapsed_s: float) -> None:
        """Note how many are open now."""
        if connections > self._most:
            self.begin(connections, elapsed_s)

    def wait_anew(self, elapsed_s: float) -> None:
        """Give it all of its time again: it was slowed down."""
        self._since_s = max(self._since_s, elapsed_s)

    def forgive(self, stood_s: float) -> None:
        """Leave out a time in which the master itself stood still."""
        self._since_s += stood_s

    def stalled_s(self, elapsed_s: float) -> float:
        """Return for how long the connections have not become more, though they were due."""
        return elapsed_s - self._since_s - self.gap_s
