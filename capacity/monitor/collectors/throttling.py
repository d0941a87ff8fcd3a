"""How often and how long the bandwidth quota held the target back (Linux, scheduler/sched-bwc.rst).

Of the ancestor cgroup with the smallest quota: the one that limits the target's processor time.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.procfs import needed, parse_flat_keyed, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroups import Cgroup, ancestors
from capacity.monitor.readings import READ_ERRORS, Reading, reason_of

_TIME_UNITS = {1: ("throttled_time", 1e9), 2: ("throttled_usec", 1e6)}
"""Version -> entry of cpu.stat, and how many of its units make a second."""


class ThrottlingCollector(TargetCollector):
    provides = ("cpu_periods", "cpu_throttled_periods", "cpu_throttled_s")

    def __init__(self) -> None:
        self._group: Cgroup | None = None
        self._missing = ""

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Find the cgroup that throttles; the quota itself is the limit of the processor time."""
        self._group = None
        try:
            groups = ancestors(target.root, "cpu", target.proc)
            quotas = [(quota, group) for group in groups if (quota := group.quota_cores())]
        except READ_ERRORS as error:
            self._missing = reason_of(error)
            return ()
        self._missing = "no cgroup of the target has a quota: it is never throttled"
        if quotas:
            self._group = min(quotas, key=lambda entry: entry[0])[1]
        return ()

    def collect(self, target: TargetView) -> Reading:  # noqa: ARG002 - its cgroup is known
        if self._group is None:
            return Reading(missing=dict.fromkeys(self.provides, self._missing))
        entries = parse_flat_keyed(read_text(self._group.file("cpu.stat")))
        throttled, per_s = _TIME_UNITS[self._group.version]
        return Reading(
            counters={
                "cpu_periods": float(needed(entries, "nr_periods")),
                "cpu_throttled_periods": float(needed(entries, "nr_throttled")),
                "cpu_throttled_s": needed(entries, throttled) / per_s,
            }
        )
