"""Kernel memory in TCP buffers, host-wide; sockstat and tcp_mem both count in pages."""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import HostCollector
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.procfs import PAGE_BYTES, needed, parse_sockstat, read_text
from capacity.monitor.readings import READ_ERRORS, Reading


class TcpMemoryCollector(HostCollector):
    provides = (Resource.TCP_MEMORY,)

    def __init__(self, proc: str = "/proc") -> None:
        self._sockstat_path = f"{proc}/net/sockstat"
        self._limit_path = f"{proc}/sys/net/ipv4/tcp_mem"

    def collect(self) -> Reading:
        # This line counts IPv6 as well; sockstat6 has no memory of its own.
        pages = needed(parse_sockstat(read_text(self._sockstat_path), "TCP"), "mem")
        return Reading(used={Resource.TCP_MEMORY: float(pages * PAGE_BYTES)})

    def limits(self) -> Iterable[Limit]:
        source = f"{self._limit_path}: third number, in pages"
        try:
            _low, _pressure, high_pages = map(int, read_text(self._limit_path).split())
        except READ_ERRORS as error:
            return [unknown(Resource.TCP_MEMORY, "host", source, error)]
        return [known(Resource.TCP_MEMORY, high_pages * PAGE_BYTES, "host", source)]
