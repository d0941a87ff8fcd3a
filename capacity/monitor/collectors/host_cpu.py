"""Busy share of the host's processors: all but idle and waiting for disks (proc_stat(5))."""

from capacity.monitor.collectors.base import HostCollector
from capacity.monitor.procfs import read_text
from capacity.monitor.readings import Reading


class HostCpuCollector(HostCollector):
    provides = ("cpu_system_ratio",)

    def __init__(self, proc: str = "/proc") -> None:
        self._path = f"{proc}/stat"
        self._before: tuple[int, int] | None = None

    def collect(self) -> Reading:
        now = busy_and_total_ticks(read_text(self._path))
        before, self._before = self._before, now
        if before is None:
            return Reading(missing={"cpu_system_ratio": "first reading: a rate needs two"})
        busy, total = now[0] - before[0], now[1] - before[1]
        if total <= 0:
            return Reading(missing={"cpu_system_ratio": "no tick passed since the reading before"})
        # Time waiting for disks may be counted backwards by the kernel.
        return Reading(gauges={"cpu_system_ratio": min(1.0, max(0.0, busy / total))})


def busy_and_total_ticks(text: str) -> tuple[int, int]:
    """Return the ticks of all cores so far; guests are already in user and nice."""
    words = text.partition("\n")[0].split()
    if len(words) < 9 or words[0] != "cpu":
        raise ValueError("the first line is not 'cpu' with 8 numbers or more")
    ticks = [int(word) for word in words[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
