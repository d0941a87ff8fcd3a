"""When a reading that is too dear for every sample is due again.

Every so often while it is cheap, more rarely the dearer it was, so that it never takes more than
its share of a core. A sample between two such readings has neither the value nor an entry in
`missing`; the samples that have it say how long the interval has become.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

_EARLY_S = 0.05
"""A sample that comes this much too early takes the reading all the same."""


class Pace:
    """The pace of one collector's readings."""

    def __init__(self, every_s: float, cost_ratio: float) -> None:
        self.interval_s = every_s
        """Until the reading after the one now taken."""
        self._every_s = every_s
        self._cost_ratio = cost_ratio
        self._due_at_s = -math.inf

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due_at_s - _EARLY_S

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Take the reading inside. One that fails has its price too, but need not wait for more."""
        now_s, began_s, is_taken = time.monotonic(), time.thread_time(), False
        try:
            yield
            is_taken = True
        finally:
            cost_s = time.thread_time() - began_s
            self.interval_s = max(self._every_s if is_taken else 0.0, cost_s / self._cost_ratio)
            self._due_at_s = now_s + self.interval_s
