"""How often the target's cgroup met its memory limit, and whom that cost (cgroups(7)).

Version 2 counts each event in memory.events, those of the cgroups below included; version 1 counts
refused charges in memory.failcnt and kills in memory.oom_control, and has no soft throttle.
"""

from collections.abc import Sequence

from capacity.monitor.collectors.cgroup_counters import CgroupCountersCollector
from capacity.monitor.host.procfs import needed, parse_flat_keyed, read_number, read_text
from capacity.monitor.limits.cgroups import Cgroup
from capacity.monitor.readings import Reading

_HITS, _KILLS, _THROTTLES = (
    "cgroup_memory_limit_hits",
    "cgroup_memory_kills",
    "cgroup_memory_high_hits",
)


class MemoryEventsCollector(CgroupCountersCollector):
    provides = (_HITS, _KILLS, _THROTTLES)
    controller = "memory"
    none_there = "this kernel has no memory controller for the target"

    def chosen(self, groups: Sequence[Cgroup]) -> Cgroup | None:
        """Return the cgroup whose limit is nearest to the target."""
        limited = [group for group in groups if group.limit("memory.max") is not None]
        return next(iter(limited or groups), None)

    def counters(self, group: Cgroup) -> Reading:
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
