"""Memory of the host in use: what no process could get any more, kernel slab included."""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import HostCollector
from capacity.monitor.host.procfs import needed, parse_meminfo, read_text
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.readings import READ_ERRORS, Reading


class HostMemoryCollector(HostCollector):
    provides = (Resource.HOST_MEMORY, "kernel_slab_bytes")

    def __init__(self, proc: str = "/proc") -> None:
        self._path = f"{proc}/meminfo"

    def collect(self) -> Reading:
        sizes_bytes = parse_meminfo(read_text(self._path))
        used_bytes = needed(sizes_bytes, "MemTotal") - needed(sizes_bytes, "MemAvailable")
        return Reading(
            used={Resource.HOST_MEMORY: float(used_bytes)},
            gauges={"kernel_slab_bytes": float(needed(sizes_bytes, "Slab"))},
        )

    def limits(self) -> Iterable[Limit]:
        source = f"{self._path}: MemTotal"
        try:
            total_bytes = needed(parse_meminfo(read_text(self._path)), "MemTotal")
        except READ_ERRORS as error:
            return [unknown(Resource.HOST_MEMORY, "host", source, error)]
        return [known(Resource.HOST_MEMORY, total_bytes, "host", source)]
