"""Processor time of the whole target, in cores, averaged over the interval.

Each process's own ticks are compared with its own ticks before, so that an exited child takes
nothing away; what it did since the last beat is lost, at most one interval of one process.
"""

import contextlib
import os
import time
from collections.abc import Iterable

import psutil

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.limits.cgroups import ancestors
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.procfs import TICKS_PER_S, parse_cores, read_text
from capacity.monitor.readings import READ_ERRORS, Reading
from capacity.monitor.target import TargetView


class CpuCollector(TargetCollector):
    provides = (Resource.CPU, "processes")

    def __init__(self) -> None:
        self._ticks: dict[tuple[int, int], int] = {}
        self._read_at_s: float | None = None
        self._target_started_at: float | None = None

    def collect(self, target: TargetView) -> Reading:
        now_s = time.monotonic()
        ticks = {(pid, stat.started_ticks): stat.cpu_ticks for pid, stat in target.stats.items()}
        gauges = {"processes": float(len(target.stats))}
        before, before_at_s = self._ticks, self._read_at_s
        is_same = self._target_started_at == target.started_at
        self._ticks, self._read_at_s, self._target_started_at = ticks, now_s, target.started_at
        if before_at_s is None or not is_same:
            why = "first reading of this target: a rate needs two"
            return Reading(gauges=gauges, missing={Resource.CPU: why})
        spent_ticks = sum(
            max(0, now - before[process]) for process, now in ticks.items() if process in before
        )
        cores = spent_ticks / TICKS_PER_S / (now_s - before_at_s)
        return Reading(used={Resource.CPU: cores}, gauges=gauges)

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
            candidates.append((float(len(_allowed_cores(target))), "process", source))
        except READ_ERRORS as error:
            return [unknown(Resource.CPU, "cgroup", source, error)]
        candidates.append(
            (float(psutil.cpu_count() or os.cpu_count() or 1), "host", "cores online")
        )
        cores, scope, source = min(candidates)
        return [known(Resource.CPU, cores, scope, source)]


def _allowed_cores(target: TargetView) -> set[int]:
    """Return the cores that any process of the target may use; its cpuset is already in there."""
    cores: set[int] = set()
    for pid in target.stats:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            cores |= _cores_of(read_text(f"{target.proc}/{pid}/status"))
    if not cores:
        raise ProcessLookupError
    return cores


def _cores_of(status: str) -> set[int]:
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "Cpus_allowed_list":
            return parse_cores(value)
    raise ValueError("no line Cpus_allowed_list")
