"""Threads and processes, against the tightest of the pids cgroups above, or the smaller of
kernel.threads-max and kernel.pid_max.

Held against a cgroup's limit, the cgroup's own count is the usage: others in it take room too.
Else it is the sum over the target's processes.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.procfs import read_number
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroups import Cgroup, ancestors
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.readings import READ_ERRORS, Reading


class ThreadsCollector(TargetCollector):
    provides = (Resource.THREADS,)
    tells_limits_with_usage = True

    def __init__(self) -> None:
        self._limited: list[tuple[Cgroup, int]] = []

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Find the limited cgroups; the tightest of them changes, and comes with the usage."""
        self._limited = []
        host_sources = [f"{target.proc}/sys/kernel/{name}" for name in ("threads-max", "pid_max")]
        source, scope = f"{target.proc}/{target.root}/cgroup", "cgroup"
        try:
            groups = ancestors(target.root, "pids", target.proc)
            limits = [(group, group.limit("pids.max")) for group in groups]
            source, scope = host_sources[0], "host"
            host_limit, source = min((read_number(path), path) for path in host_sources)
        except READ_ERRORS as error:
            return [unknown(Resource.THREADS, scope, source, error)]
        self._limited = [
            (group, limit) for group, limit in limits if limit is not None and limit < host_limit
        ]
        if self._limited:
            return ()
        return [known(Resource.THREADS, host_limit, "host", source)]

    def collect(self, target: TargetView) -> Reading:
        if not self._limited:
            threads = sum(stat.threads for stat in target.stats.values())
            return Reading(used={Resource.THREADS: float(threads)})
        counts = [(group, limit, group.usage("pids.current")) for group, limit in self._limited]
        group, limit, used = min(counts, key=lambda entry: entry[1] - entry[2])
        return Reading(
            used={Resource.THREADS: float(used)},
            limits=(known(Resource.THREADS, limit, "cgroup", group.file("pids.max")),),
        )
