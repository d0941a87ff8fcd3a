"""What the host's processors do: busy, in network interrupts, or given to other guests (proc_stat(5)).

Busy is all but idle and waiting for disks. Softirq is also shown for the core that has most of it:
a card with one queue fills one core, and the mean over many hides that.
"""

from capacity.monitor.collectors.base import HostCollector
from capacity.monitor.host.procfs import read_text
from capacity.monitor.readings import Reading

_IDLE, _IO_WAIT, _SOFTIRQ, _STEAL = 3, 4, 6, 7
"""Columns; guests are already in user and nice."""
_COLUMNS = 8

_Ticks = dict[str, list[int]]
"""cpu (all of them), cpu0, cpu1, ... -> what each has spent in what."""


class HostCpuCollector(HostCollector):
    provides = (
        "cpu_system_ratio",
        "cpu_softirq_ratio",
        "cpu_softirq_busiest_core_ratio",
        "cpu_steal_ratio",
    )

    def __init__(self, proc: str = "/proc") -> None:
        self._path = f"{proc}/stat"
        self._before: _Ticks | None = None

    def collect(self) -> Reading:
        now = parse_ticks(read_text(self._path))
        before, self._before = self._before, now
        if before is None:
            return Reading(missing=dict.fromkeys(self.provides, "first reading: a rate needs two"))
        spent = {
            core: [after - earlier for after, earlier in zip(ticks, before[core], strict=True)]
            for core, ticks in now.items()
            if core in before
        }
        total = spent.pop("cpu")
        softirqs = [_ratio(each[_SOFTIRQ], sum(each)) for each in spent.values() if sum(each) > 0]
        if sum(total) <= 0 or not softirqs:  # Cores and total are rounded each for itself.
            why = "no tick passed since the reading before"
            return Reading(missing=dict.fromkeys(self.provides, why))
        busy = sum(total) - total[_IDLE] - total[_IO_WAIT]
        softirq_ratio = _ratio(total[_SOFTIRQ], sum(total))
        return Reading(
            gauges={
                "cpu_system_ratio": _ratio(busy, sum(total)),
                "cpu_softirq_ratio": softirq_ratio,
                # For the same rounding, a tick of the total may be none of any core.
                "cpu_softirq_busiest_core_ratio": max(*softirqs, softirq_ratio),
                "cpu_steal_ratio": _ratio(total[_STEAL], sum(total)),
            }
        )


def _ratio(part: int, whole: int) -> float:
    # Time waiting for disks may be counted backwards by the kernel.
    return min(1.0, max(0.0, part / whole))


def parse_ticks(text: str) -> _Ticks:
    """Return the ticks of all cores together and of each that is online."""
    ticks = {}
    for line in text.splitlines():
        name, *words = line.split()
        if not name.startswith("cpu"):
            break
        if len(words) < _COLUMNS:
            raise ValueError(f"{name} has {len(words)} numbers, {_COLUMNS} or more are documented")
        ticks[name] = [int(word) for word in words[:_COLUMNS]]
    if "cpu" not in ticks:
        raise ValueError("the first line is not 'cpu' with 8 numbers or more")
    return ticks
