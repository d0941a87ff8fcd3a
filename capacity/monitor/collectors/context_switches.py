"""How often the target's threads gave up the processor, and how often it was taken from them.

From /proc/PID/task/TID/status (proc(5)), where each thread has its own count: what an ended thread
did since its last reading is lost. Involuntary ones say that the target waits for processors.
"""

from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.processor_time import thread_ids
from capacity.monitor.host.procfs import read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.pace import Pace
from capacity.monitor.readings import Reading

_EVERY_S = 10.0
_COST_RATIO = 0.0005

_VOLUNTARY, _INVOLUNTARY = "context_switches_voluntary", "context_switches_involuntary"

_Counts = tuple[int, int]
"""Voluntary and involuntary switches."""


class ContextSwitchesCollector(TargetCollector):
    provides = (_VOLUNTARY, _INVOLUNTARY)

    def __init__(self) -> None:
        self._pace = Pace(_EVERY_S, _COST_RATIO)
        self._before: dict[tuple[int, int, int], _Counts] = {}
        """pid, its start in ticks and thread id -> counts at the last reading."""
        self._totals: _Counts = (0, 0)

    def collect(self, target: TargetView) -> Reading:
        if not self._pace.is_due:
            return Reading()
        with self._pace.reading():
            now = {
                (pid, stat.started_ticks, thread_id): counts
                for pid, stat in target.stats.items()
                for thread_id in thread_ids(pid, stat, target.proc)
                if (counts := _counts(pid, thread_id, target.proc)) is not None
            }
        for thread, counts in now.items():
            before = self._before.get(thread, (0, 0))
            # Less than before: another thread was given the id.
            gained = counts if counts < before else _difference(counts, before)
            self._totals = self._totals[0] + gained[0], self._totals[1] + gained[1]
        self._before = now
        voluntary, involuntary = self._totals
        return Reading(counters={_VOLUNTARY: float(voluntary), _INVOLUNTARY: float(involuntary)})


def _difference(counts: _Counts, before: _Counts) -> _Counts:
    return counts[0] - before[0], counts[1] - before[1]


def _counts(pid: int, thread_id: int, proc: str) -> _Counts | None:
    """Return the counts of one thread; None when it ended."""
    try:
        text = read_text(f"{proc}/{pid}/task/{thread_id}/status")
    except (FileNotFoundError, ProcessLookupError):
        return None
    voluntary, involuntary = None, None
    for line in text.splitlines()[-4:]:
        name, _, value = line.partition(":")
        if name == "voluntary_ctxt_switches":
            voluntary = int(value)
        elif name == "nonvoluntary_ctxt_switches":
            involuntary = int(value)
    if voluntary is None or involuntary is None:
        raise ValueError("status ends without the counts of context switches")
    return voluntary, involuntary
