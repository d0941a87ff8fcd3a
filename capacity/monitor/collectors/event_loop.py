"""The target's hottest thread, in cores: an event loop is full at one core, whatever the host has.

With many threads only some are read on a beat: the hottest known ones and, in turn, the others.
Each thread's use is averaged over the time since it was itself read before.
"""

import time
from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.processor_time import thread_ids, thread_spent_s
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.states import known
from capacity.monitor.readings import Reading

_MOST_THREADS = 128
_HOTTEST = 32

_Thread = tuple[int, int]
"""pid and thread id."""


class EventLoopCollector(TargetCollector):
    provides = (Resource.EVENT_LOOP,)

    def __init__(self) -> None:
        self._before: dict[_Thread, tuple[float, float]] = {}
        """Thread -> what it had spent, and when that was read."""
        self._cores: dict[_Thread, float] = {}
        self._turn = 0

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
        if hottest is None:
            why = "first reading of this target: a rate needs two"
            return Reading(missing={Resource.EVENT_LOOP: why})
        return Reading(used={Resource.EVENT_LOOP: hottest})

    def limits(self, target: TargetView) -> Iterable[Limit]:  # noqa: ARG002 - the same for all
        source = "one thread uses at most one core"
        return [known(Resource.EVENT_LOOP, 1.0, "process", source)]

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
