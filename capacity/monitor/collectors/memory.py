"""Memory of the target: its cgroup's where that is limited, else its resident set.

Every cgroup above the target may have a limit; the one with least room left counts, and the usage
is that same cgroup's, other members included: its working set, which is what the kernel charges
less the inactive file cache. Cache that nobody used of late is dropped before anything is killed,
so it takes no connection's place; a log that is written would otherwise look like a leak. So does
kubelet judge memory (kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction,
memory.available; cAdvisor, container/libcontainer/handler.go: setMemoryStats). Active file cache
stays in, as there: the kernel gives it up only under pressure.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.limits.cgroups import Cgroup, ancestors
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.procfs import needed, parse_meminfo, read_text
from capacity.monitor.readings import READ_ERRORS, Reading, reason_of
from capacity.monitor.target import TargetView

_GAUGES = ("cgroup_memory_bytes", "cgroup_memory_peak_bytes")


class MemoryCollector(TargetCollector):
    provides = (Resource.MEMORY, "resident_bytes", *_GAUGES)

    def __init__(self) -> None:
        self._limited: list[tuple[Cgroup, int]] = []
        self._own: Cgroup | None = None
        self._missing: str | None = None

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Find the limited cgroups; the tightest of them changes, and comes with the usage."""
        self._limited, self._own, self._missing = [], None, None
        try:
            groups = ancestors(target.root, "memory", target.proc)
            limits = [(group, group.limit("memory.max")) for group in groups]
        except READ_ERRORS as error:
            self._missing = reason_of(error)
            return [unknown(Resource.MEMORY, "cgroup", f"{target.proc}/PID/cgroup", error)]
        self._limited = [(group, limit) for group, limit in limits if limit is not None]
        self._own = groups[0] if groups else None
        return () if self._limited else [_host_limit(target.proc)]

    def collect(self, target: TargetView) -> Reading:
        resident_bytes = float(sum(stat.resident_bytes for stat in target.stats.values()))
        gauges, missing = self._cgroup_gauges()
        gauges["resident_bytes"] = resident_bytes
        used_bytes, limits = self._tightest() if self._limited else (resident_bytes, ())
        return Reading(
            used={Resource.MEMORY: used_bytes}, gauges=gauges, missing=missing, limits=limits
        )

    def _tightest(self) -> tuple[float, tuple[Limit, ...]]:
        usages = [(group, limit, group.working_set_bytes()) for group, limit in self._limited]
        group, limit, usage_bytes = min(usages, key=lambda entry: entry[1] - entry[2])
        return float(usage_bytes), (
            known(Resource.MEMORY, limit, "cgroup", group.file("memory.max")),
        )

    def _cgroup_gauges(self) -> tuple[dict[str, float], dict[str, str]]:
        """Return use and peak of the target's own cgroup, whether limited or not."""
        if self._own is None:
            why = self._missing or "this kernel has no memory controller for the target"
            return {}, dict.fromkeys(_GAUGES, why)
        gauges: dict[str, float] = {}
        missing: dict[str, str] = {}
        files = zip(_GAUGES, ("memory.current", "memory.peak"), strict=True)
        for name, file in files:
            try:
                gauges[name] = float(self._own.usage(file))
            except READ_ERRORS as error:
                missing[name] = reason_of(error)
        return gauges, missing


def _host_limit(proc: str) -> Limit:
    source = f"{proc}/meminfo: MemTotal (no memory cgroup of the target is limited)"
    try:
        total_bytes = needed(parse_meminfo(read_text(f"{proc}/meminfo")), "MemTotal")
    except READ_ERRORS as error:
        return unknown(Resource.MEMORY, "host", source, error)
    return known(Resource.MEMORY, total_bytes, "host", source)
