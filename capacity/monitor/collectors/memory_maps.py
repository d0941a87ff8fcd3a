"""Memory mappings of one process, against vm.max_map_count: a thread's stack takes two.

The process with most of them speaks for all, since each has the whole limit for itself. Counting
reads every mapping, at some half a microsecond each, and is therefore paced.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.procfs import read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.sysctls import sysctl_limit
from capacity.monitor.pace import Pace
from capacity.monitor.readings import Reading, of_each

_EVERY_S = 2.0
_COST_RATIO = 0.0005
_INTERVAL_GAUGE = "memory_maps_interval_s"


class MemoryMapsCollector(TargetCollector):
    provides = (Resource.MEMORY_MAPS, _INTERVAL_GAUGE)

    def __init__(self) -> None:
        self._pace = Pace(_EVERY_S, _COST_RATIO)

    def collect(self, target: TargetView) -> Reading:
        if not self._pace.is_due:
            return Reading()
        with self._pace.reading():
            most = max(_counts(target))
        return Reading(
            used={Resource.MEMORY_MAPS: float(most)},
            gauges={_INTERVAL_GAUGE: self._pace.interval_s},
        )

    def limits(self, target: TargetView) -> Iterable[Limit]:
        return [sysctl_limit(Resource.MEMORY_MAPS, "vm.max_map_count", "process", target.proc)]


def _counts(target: TargetView) -> list[int]:
    """Return the mappings of each process that lives; the last trouble when none does."""
    counts = of_each(
        target.stats,
        lambda pid: read_text(f"{target.proc}/{pid}/maps").count("\n"),
        errors=(FileNotFoundError, ProcessLookupError),
    )
    return list(counts.values())
