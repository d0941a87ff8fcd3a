"""When to sample: a fixed interval on the monotonic clock, stretched where readings are too dear.

A reading that comes late is recorded with the interval that really passed; those missed meanwhile
are skipped, not made up for. What a target of thousands of processes costs to read is spread over a
longer interval, so that the agent keeps to its share of a core.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from capacity.domain.sample import Sample
from capacity.monitor.notes import Notes
from capacity.monitor.sampler import Sampler

BUDGET_RATIO = 0.05
"""Share of a core that sampling may take."""
MOST_STRETCHED = 30
"""Intervals as asked for that one sample may take at most; beyond that it costs more than its share, and
says so."""
_AVERAGED = 10
_MARGIN = 1.2
"""Else a cost near the budget would have the longer interval come and go."""
_TOPIC = "sampling interval"


class SamplingInterval:
    """The interval between two samples."""

    def __init__(self, interval_s: float, notes: Notes) -> None:
        self.interval_s = interval_s
        self._asked_s = interval_s
        self._notes = notes
        self._costs_s: deque[float] = deque(maxlen=_AVERAGED)

    def spend(self, cost_s: float) -> None:
        """Take account of a sample that took *cost_s* of processor time."""
        self._costs_s.append(cost_s)
        if len(self._costs_s) < _AVERAGED:
            return
        mean_s = sum(self._costs_s) / _AVERAGED
        needed = mean_s / BUDGET_RATIO / self._asked_s
        before, roomy = round(self.interval_s / self._asked_s), math.ceil(_MARGIN * needed)
        if roomy >= before >= needed:
            return
        stretched = min(max(1, roomy), MOST_STRETCHED)
        self.interval_s = stretched * self._asked_s
        self._costs_s.clear()
        if stretched == 1:
            self._notes.drop(_TOPIC)
        else:
            self._notes.say(
                _TOPIC,
                f"samples every {self.interval_s:g} s instead of {self._asked_s:g} s: one takes"
                f" {mean_s * 1e3:.0f} ms of CPU time, and the budget is {BUDGET_RATIO:.0%} of a core",
            )


def sample_at_intervals(
    sampler: Sampler,
    interval: SamplingInterval,
    keep: Callable[[Sample], None],
    stop: threading.Event,
    *,
    clock_s: Callable[[], float] = time.monotonic,
    spent_s: Callable[[], float] = time.thread_time,
) -> None:
    """Hand a sample to *keep* at every interval until *stop* is set."""
    due_at_s = clock_s() + interval.interval_s
    while not stop.wait(max(0.0, due_at_s - clock_s())):
        began_s = spent_s()
        keep(sampler.sample())
        interval.spend(spent_s() - began_s)
        missed = int((clock_s() - due_at_s) // interval.interval_s)
        due_at_s += interval.interval_s * (1 + max(0, missed))
