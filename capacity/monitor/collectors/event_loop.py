"""The target's hottest thread, in cores: an event loop is full at one core, whatever the host has.

With many threads only some are read for a sample: the hottest known ones and, in turn, the others.
Each thread's use is averaged over the time since it was itself read before.

Threads of an interpreter with a global lock have one core between them: where the work is spread over
them, they count as one. A server of such threads that no single one of them limits was forecast to hold
what two cores would, and broke at half of it.
"""

import time
from collections.abc import Iterable, Iterator

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.global_lock import has_global_lock
from capacity.monitor.host.processor_time import thread_ids, thread_spent_s
from capacity.monitor.host.procfs import TICKS_PER_S
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.states import known
from capacity.monitor.readings import Reading

_MOST_THREADS = 128
_HOTTEST = 32

_SPREAD_RATIO = 0.55
"""Of what its process uses: a hottest thread with less has others that work as it does."""

_Thread = tuple[int, int]
"""pid and thread id."""
_Process = tuple[int, int]
"""pid and start in ticks."""


class EventLoopCollector(TargetCollector):
    provides = (Resource.EVENT_LOOP,)

    def __init__(self) -> None:
        self._before: dict[_Thread, tuple[float, float]] = {}
        """Thread -> what it had spent, and when that was read."""
        self._cores: dict[_Thread, float] = {}
        self._turn = 0
        self._locked: dict[_Process, bool] = {}
        self._ticks: dict[_Process, tuple[int, float]] = {}
        """Process with a global lock -> what it had spent, and when that was read."""

    def collect(self, target: TargetView) -> Reading:
        threads = [
            (pid, thread_id)
            for pid, stat in target.stats.items()
            for thread_id in thread_ids(pid, stat, target.proc)
        ]
        present = set(threads)
        self._before = {key: value for key, value in self._before.items() if key in present}
        self._cores = {key: value for key, value in self._cores.items() if key in present}
        hottest: float | None = None
        for thread in self._chosen(threads):
            cores = self._cores_since_before(thread, target)
            if cores is not None:
                self._cores[thread] = cores
                hottest = max(cores, hottest or 0.0)
        together = list(self._taking_turns(target))
        if hottest is None:
            why = "first reading of this target: a rate needs two"
            return Reading(missing={Resource.EVENT_LOOP: why})
        return Reading(used={Resource.EVENT_LOOP: max([hottest, *together])})

    def limits(self, target: TargetView) -> Iterable[Limit]:  # noqa: ARG002 - the same for all
        source = "one thread uses at most one core"
        return [known(Resource.EVENT_LOOP, 1.0, "process", source)]

    def _taking_turns(self, target: TargetView) -> Iterator[float]:
        """Yield what each process uses whose threads share the work and take turns, in cores."""
        hottest: dict[int, float] = {}
        for (pid, _), cores in self._cores.items():
            hottest[pid] = max(cores, hottest.get(pid, 0.0))
        before, self._ticks = self._ticks, {}
        for pid, stat in target.stats.items():
            process = pid, stat.started_ticks
            if process not in self._locked:
                self._locked[process] = has_global_lock(pid, target.proc)
            if not self._locked[process]:
                continue
            now = self._ticks[process] = stat.cpu_ticks, time.monotonic()
            if stat.threads < 2 or pid not in hottest or process not in before:
                continue
            ticks, at_s = before[process]
            together = (now[0] - ticks) / TICKS_PER_S / (now[1] - at_s)
            if hottest[pid] < _SPREAD_RATIO * together:
                yield together
        self._locked = {
            process: is_so for process, is_so in self._locked.items() if process[0] in target.stats
        }

    def _chosen(self, threads: list[_Thread]) -> list[_Thread]:
        if len(threads) <= _MOST_THREADS:
            return threads
        hottest = sorted(self._cores, key=self._cores.__getitem__, reverse=True)[:_HOTTEST]
        known_hot = set(hottest)
        others = [thread for thread in threads if thread not in known_hot]
        first = self._turn % len(others)
        self._turn = first + _MOST_THREADS - len(hottest)
        return hottest + (others[first:] + others[:first])[: _MOST_THREADS - len(hottest)]

    def _cores_since_before(self, thread: _Thread, target: TargetView) -> float | None:
        pid, thread_id = thread
        # Not the process's own clock, even for a single thread: it holds what ended threads spent.
        spent_s, now_s = thread_spent_s(pid, thread_id, target.proc), time.monotonic()
        if spent_s is None:
            return None
        before = self._before.get(thread)
        self._before[thread] = spent_s, now_s
        # Less than before: another thread was given the id.
        if before is None or spent_s < before[0]:
            return None
        return (spent_s - before[0]) / (now_s - before[1])
