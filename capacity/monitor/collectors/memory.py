"""Memory of the target: its cgroup's where that is limited, else its resident set.

Every cgroup above the target may have a limit; the one with least room left counts, and the usage
is that same cgroup's, other members included: what the kernel charges less its file cache. It gives
cache up before it kills (Linux, mm/vmscan.c), so that cache takes no connection's place; counted in,
a log that is written would look like a leak, and a program of 50 MiB like memory that is taken.
Kubelet counts the active part in: it judges when
to evict (kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction, memory.available),
and here it is asked when the kernel kills. Between the two a target may read its program again and
again; what it reads is seen in its delays.

The kernel's high-water mark is read of that same account: memory.peak of the limited cgroup, or
VmHWM of the process (proc_pid_status(5)). Several processes have their marks at different moments,
so that their sum is no mark; and a cgroup without a limit holds whatever else runs in it.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import RESIDENT, MemoryReading
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.procfs import needed, parse_meminfo, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroups import Cgroup, ancestors
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.readings import READ_ERRORS, Reading, reason_of

_MARK = "memory_high_water_bytes"
"""Under which it is told why there is none."""


class MemoryCollector(TargetCollector):
    provides = (Resource.MEMORY, "resident_bytes", _MARK)
    tells_limits_with_usage = True

    def __init__(self) -> None:
        self._limited: list[tuple[Cgroup, int]] = []

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Find the limited cgroups; the tightest of them changes, and comes with the usage."""
        self._limited = []
        try:
            groups = ancestors(target.root, "memory", target.proc)
            limits = [(group, group.limit("memory.max")) for group in groups]
        except READ_ERRORS as error:
            return [unknown(Resource.MEMORY, "cgroup", f"{target.proc}/PID/cgroup", error)]
        self._limited = [(group, limit) for group, limit in limits if limit is not None]
        return () if self._limited else [_host_limit(target.proc)]

    def collect(self, target: TargetView) -> Reading:
        resident_bytes = float(sum(stat.resident_bytes for stat in target.stats.values()))
        if self._limited:
            used_bytes, memory, why, limits = self._of_tightest()
        else:
            used_bytes, limits = resident_bytes, ()
            memory, why = _resident_memory(target, resident_bytes)
        return Reading(
            used={Resource.MEMORY: used_bytes},
            gauges={"resident_bytes": resident_bytes},
            missing={_MARK: why} if why else {},
            memory=memory,
            limits=limits,
        )

    def _of_tightest(self) -> tuple[float, MemoryReading | None, str, tuple[Limit, ...]]:
        """Return use, mark or why there is none, and limit of the cgroup with least room."""
        usages = [
            (group, limit, *group.charged_and_cache_bytes()) for group, limit in self._limited
        ]
        group, limit, charged, cache = min(usages, key=lambda each: each[1] - each[2] + each[3])
        limits = (known(Resource.MEMORY, limit, "cgroup", group.file("memory.max")),)
        try:
            mark = group.usage("memory.peak")
        except READ_ERRORS as error:
            return float(charged - cache), None, reason_of(error), limits
        memory = MemoryReading(
            account=group.path,
            use_bytes=float(charged - cache),
            charged_bytes=float(charged),
            high_water_bytes=float(max(mark, charged)),
        )
        return float(charged - cache), memory, "", limits


def _resident_memory(target: TargetView, resident_bytes: float) -> tuple[MemoryReading | None, str]:
    """Return the mark of the target's only process, or why there is none."""
    if len(target.stats) > 1:
        return None, f"the marks of {len(target.stats)} processes are of different moments"
    path = f"{target.proc}/{target.root}/status"
    try:
        mark_bytes = needed(parse_meminfo(read_text(path)), "VmHWM")
    except READ_ERRORS as error:
        return None, reason_of(error)
    return MemoryReading(
        account=RESIDENT,
        use_bytes=resident_bytes,
        charged_bytes=resident_bytes,
        high_water_bytes=max(float(mark_bytes), resident_bytes),
    ), ""


def _host_limit(proc: str) -> Limit:
    source = f"{proc}/meminfo: MemTotal (no memory cgroup of the target is limited)"
    try:
        total_bytes = needed(parse_meminfo(read_text(f"{proc}/meminfo")), "MemTotal")
    except READ_ERRORS as error:
        return unknown(Resource.MEMORY, "host", source, error)
    return known(Resource.MEMORY, total_bytes, "host", source)
