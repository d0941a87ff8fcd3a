"""Processor time of the whole target, in cores, averaged over the interval.

Each process's own clock is compared with its own clock before, so that an exited child takes
nothing away; what it did since the last sample is lost, at most one interval of one process. A target
with many threads is read by the ticks of its processes alone: coarse, but two numbers a process.
"""

import os
import time
from collections.abc import Iterable

import psutil

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.processor_time import ProcessClock, thread_ids
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroups import ancestors
from capacity.monitor.limits.host_entries import allowed_cores
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.readings import READ_ERRORS, Reading

_MOST_THREADS = 256
"""Of the whole target. A thread takes about 6 µs to read."""

_Process = tuple[int, int]
"""pid and start in ticks."""


class CpuCollector(TargetCollector):
    provides = (Resource.CPU, "processes")

    def __init__(self) -> None:
        self._clocks: dict[_Process, ProcessClock] = {}
        self._spent_s: dict[_Process, float] = {}
        self._read_at_s: float | None = None
        self._target_started_at: float | None = None

    def collect(self, target: TargetView) -> Reading:
        spent_s = self._read_clocks(target)
        now_s = time.monotonic()
        gauges = {"processes": float(len(target.stats))}
        before_s, before_at_s = self._spent_s, self._read_at_s
        is_same = self._target_started_at == target.started_at
        self._spent_s, self._read_at_s, self._target_started_at = spent_s, now_s, target.started_at
        if before_at_s is None or not is_same:
            why = "first reading of this target: a rate needs two"
            return Reading(gauges=gauges, missing={Resource.CPU: why})
        used_s = sum(
            now - before_s[process] for process, now in spent_s.items() if process in before_s
        )
        return Reading(used={Resource.CPU: used_s / (now_s - before_at_s)}, gauges=gauges)

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Return the least of the bandwidth quotas, the allowed cores and the host's cores."""
        source = f"{target.proc}/{target.root}/cgroup"
        try:
            candidates = [
                (quota, "cgroup", group.quota_file)
                for group in ancestors(target.root, "cpu", target.proc)
                if (quota := group.quota_cores()) is not None
            ]
            source = f"{target.proc}/PID/status: Cpus_allowed_list"
            candidates.append((float(len(allowed_cores(target))), "process", source))
        except READ_ERRORS as error:
            return [unknown(Resource.CPU, "cgroup", source, error)]
        candidates.append(
            (
                float(psutil.cpu_count() or os.cpu_count() or 1),
                "host",
                "sysconf(_SC_NPROCESSORS_ONLN)",
            )
        )
        cores, scope, source = min(candidates)
        return [known(Resource.CPU, cores, scope, source)]

    def _read_clocks(self, target: TargetView) -> dict[_Process, float]:
        """Return what every process has spent, by a clock of its own."""
        is_fine = sum(stat.threads for stat in target.stats.values()) <= _MOST_THREADS
        clocks: dict[_Process, ProcessClock] = {}
        spent_s: dict[_Process, float] = {}
        for pid, stat in target.stats.items():
            process = pid, stat.started_ticks
            clock = clocks[process] = self._clocks.get(process) or ProcessClock()
            threads = thread_ids(pid, stat, target.proc) if is_fine else ()
            spent_s[process] = clock.read(pid, stat, threads, target.proc)
        self._clocks = clocks
        return spent_s
