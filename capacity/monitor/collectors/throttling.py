"""How often and how long the bandwidth quota held the target back (Linux, scheduler/sched-bwc.rst).

Of the ancestor cgroup with the smallest quota: the one that limits the target's processor time.
"""

from collections.abc import Sequence

from capacity.monitor.collectors.cgroup_counters import CgroupCountersCollector
from capacity.monitor.host.procfs import needed, parse_flat_keyed, read_text
from capacity.monitor.limits.cgroups import Cgroup
from capacity.monitor.readings import Reading

_TIME_UNITS = {1: ("throttled_time", 1e9), 2: ("throttled_usec", 1e6)}
"""Version -> entry of cpu.stat, and how many of its units make a second."""


class ThrottlingCollector(CgroupCountersCollector):
    provides = ("cpu_periods", "cpu_throttled_periods", "cpu_throttled_s")
    controller = "cpu"
    none_there = "no cgroup of the target has a quota: it is never throttled"

    def chosen(self, groups: Sequence[Cgroup]) -> Cgroup | None:
        """Return the cgroup that throttles."""
        quotas = [(quota, group) for group in groups if (quota := group.quota_cores())]
        return min(quotas, key=lambda entry: entry[0])[1] if quotas else None

    def counters(self, group: Cgroup) -> Reading:
        entries = parse_flat_keyed(read_text(group.file("cpu.stat")))
        throttled, per_s = _TIME_UNITS[group.version]
        return Reading(
            counters={
                "cpu_periods": float(needed(entries, "nr_periods")),
                "cpu_throttled_periods": float(needed(entries, "nr_throttled")),
                "cpu_throttled_s": needed(entries, throttled) / per_s,
            }
        )
