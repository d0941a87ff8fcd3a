"""What connections take in the kernel's own memory, by cache, from /proc/slabinfo (slabinfo(5)).

None of it is in any process's resident set, and in a cgroup only a part. Host-wide; only root may
read it. A cache that this kernel merged with another of equal size is missing (slab_nomerge).
"""

from typing import ClassVar

from capacity.monitor.collectors.base import HostCollector
from capacity.monitor.host.procfs import PAGE_BYTES, read_text
from capacity.monitor.pace import Pace
from capacity.monitor.readings import Reading

_EVERY_S = 10.0
_COST_RATIO = 0.0005

_CACHES = {
    "slab_tcp_bytes": ("TCP", "TCPv6"),
    "slab_sock_inode_cache_bytes": ("sock_inode_cache",),
    "slab_filp_bytes": ("filp",),
    "slab_dentry_bytes": ("dentry",),
    "slab_eventpoll_epi_bytes": ("eventpoll_epi",),
}


class SlabCollector(HostCollector):
    provides: ClassVar[tuple[str, ...]] = tuple(_CACHES)

    def __init__(self, proc: str = "/proc") -> None:
        self._path = f"{proc}/slabinfo"
        self._pace = Pace(_EVERY_S, _COST_RATIO)

    def collect(self) -> Reading:
        if not self._pace.is_due:
            return Reading()
        with self._pace.reading():
            sizes_bytes = parse_slabinfo(read_text(self._path))
        gauges = {}
        missing = {}
        for gauge, names in _CACHES.items():
            present = [sizes_bytes[name] for name in names if name in sizes_bytes]
            if present:
                gauges[gauge] = float(sum(present))
            else:
                missing[gauge] = f"{self._path} has no {names[0]}: merged with another cache"
        return Reading(gauges=gauges, missing=missing)


def parse_slabinfo(text: str) -> dict[str, int]:
    """Return the memory of each cache: its slabs times the pages of one."""
    sizes_bytes = {}
    for line in text.splitlines():
        if line.startswith(("#", "slabinfo")):
            continue
        objects, _, slabs = line.partition(" : slabdata ")
        fields, counts = objects.split(), slabs.split()
        if len(fields) < 6 or len(counts) < 2:
            raise ValueError(f"no line of slabinfo 2.1: {line!r}")
        sizes_bytes[fields[0]] = int(counts[1]) * int(fields[5]) * PAGE_BYTES
    if not sizes_bytes:
        raise ValueError("slabinfo lists no cache")
    return sizes_bytes
