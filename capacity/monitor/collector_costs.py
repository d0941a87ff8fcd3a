"""What each collector costs the agent, in cores: so that nobody has to believe it is cheap.

Told every ten seconds and averaged over them, since the sum of all is in every sample.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_EVERY_S = 10.0


class CollectorCosts:
    """Adds up processor time by collector."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._spent_s: defaultdict[str, float] = defaultdict(float)
        self._clock_s = clock_s
        self._told_at_s = clock_s()

    @contextmanager
    def of(self, collector: object) -> Iterator[None]:
        """Charge what runs inside to *collector*, which is known by the name of its file."""
        began_s = time.thread_time()
        try:
            yield
        finally:
            name = type(collector).__module__.rpartition(".")[2]
            self._spent_s[name] += time.thread_time() - began_s

    def gauges(self) -> dict[str, float]:
        """Return what was spent since it was told last; nothing while that is too recent."""
        elapsed_s = self._clock_s() - self._told_at_s
        if elapsed_s < _EVERY_S:
            return {}
        spent_s, self._spent_s = self._spent_s, defaultdict(float)
        self._told_at_s += elapsed_s
        return {f"collector_{name}_cores": cost / elapsed_s for name, cost in spent_s.items()}
