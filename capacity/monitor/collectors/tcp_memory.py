"""Kernel memory in TCP buffers; sockstat and tcp_mem both count in pages.

Host-wide, unless a version 1 memory cgroup gives the target less (memory.kmem.tcp): then that
cgroup's. Version 2 has no such limit; there the buffers are in memory.max.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.procfs import PAGE_BYTES, needed, parse_sockstat, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroups import Cgroup, ancestors
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.readings import READ_ERRORS, Reading

_LIMIT, _USAGE = "memory.kmem.tcp.limit_in_bytes", "memory.kmem.tcp.usage_in_bytes"

NOT_IN_THIS_NAMESPACE = (
    "net.ipv4.tcp_mem is not shown in a network namespace of its own: run the agent in the host's"
    " network namespace"
)
"""Whoever asks: the kernel has this file in its first namespace alone."""


class TcpMemoryCollector(TargetCollector):
    provides = (Resource.TCP_MEMORY,)
    tells_limits_with_usage = True

    def __init__(self) -> None:
        self._limited: list[tuple[Cgroup, int]] = []

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Find the limited cgroups; the tightest of them changes, and comes with the usage."""
        self._limited = []
        path = f"{target.proc}/sys/net/ipv4/tcp_mem"
        source, scope = f"{path}: third number, in pages", "host"
        try:
            _low, _pressure, high_pages = map(int, read_text(path).split())
            host_bytes = high_pages * PAGE_BYTES
            host_source, source, scope = source, f"{target.proc}/{target.root}/cgroup", "cgroup"
            groups = ancestors(target.root, "memory", target.proc)
            limits = [(group, group.limit(_LIMIT)) for group in groups]
        except FileNotFoundError as error:
            why = NOT_IN_THIS_NAMESPACE if error.filename == path else error
            return [unknown(Resource.TCP_MEMORY, scope, source, why)]
        except READ_ERRORS as error:
            return [unknown(Resource.TCP_MEMORY, scope, source, error)]
        self._limited = [
            (group, limit) for group, limit in limits if limit is not None and limit < host_bytes
        ]
        if self._limited:
            return ()
        return [known(Resource.TCP_MEMORY, host_bytes, "host", host_source)]

    def collect(self, target: TargetView) -> Reading:
        if self._limited:
            usages = [(group, limit, group.usage(_USAGE)) for group, limit in self._limited]
            group, limit, used_bytes = min(usages, key=lambda entry: entry[1] - entry[2])
            return Reading(
                used={Resource.TCP_MEMORY: float(used_bytes)},
                limits=(known(Resource.TCP_MEMORY, limit, "cgroup", group.file(_LIMIT)),),
            )
        # This line counts IPv6 and all namespaces as well; sockstat6 has no memory of its own.
        pages = needed(parse_sockstat(read_text(f"{target.proc}/net/sockstat"), "TCP"), "mem")
        return Reading(used={Resource.TCP_MEMORY: float(pages * PAGE_BYTES)})
