"""How often the target's cgroup met its memory limit, and whom that cost (cgroups(7)).

Version 2 counts each event in memory.events, those of the cgroups below included; version 1 counts
refused charges in memory.failcnt and kills in memory.oom_control, and has no soft throttle.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.procfs import needed, parse_flat_keyed, read_number, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroups import Cgroup, ancestors
from capacity.monitor.readings import READ_ERRORS, Reading, reason_of

_HITS, _KILLS, _THROTTLES = (
    "cgroup_memory_limit_hits",
    "cgroup_memory_kills",
    "cgroup_memory_high_hits",
)


class MemoryEventsCollector(TargetCollector):
    provides = (_HITS, _KILLS, _THROTTLES)

    def __init__(self) -> None:
        self._group: Cgroup | None = None
        self._missing = ""

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Find the cgroup whose limit is nearest to the target; the limit is the memory's."""
        self._group = None
        try:
            groups = ancestors(target.root, "memory", target.proc)
            limited = [group for group in groups if group.limit("memory.max") is not None]
        except READ_ERRORS as error:
            self._missing = reason_of(error)
            return ()
        self._missing = "this kernel has no memory controller for the target"
        if groups:
            self._group = (limited or groups)[0]
        return ()

    def collect(self, target: TargetView) -> Reading:  # noqa: ARG002 - its cgroup is known
        group = self._group
        if group is None:
            return Reading(missing=dict.fromkeys(self.provides, self._missing))
        if group.version == 1:
            control = parse_flat_keyed(read_text(group.file("memory.oom_control")))
            return Reading(
                counters={
                    _HITS: float(read_number(group.file("memory.failcnt"))),
                    _KILLS: float(needed(control, "oom_kill")),
                },
                missing={_THROTTLES: "version 1 cgroups have no memory.high"},
            )
        events = parse_flat_keyed(read_text(group.file("memory.events")))
        return Reading(
            counters={
                _HITS: float(needed(events, "max")),
                _KILLS: float(needed(events, "oom_kill")),
                _THROTTLES: float(needed(events, "high")),
            }
        )
