"""Packets that the host's cores had no time for (Linux, net/core/net-procfs.c: softnet_seq_show).

One line a core, in hexadecimal: the second number is what net.core.netdev_max_backlog dropped, the
third how often net.core.netdev_budget ended before the work.
"""

from collections.abc import Iterator

from capacity.monitor.collectors.base import HostCollector
from capacity.monitor.host.procfs import read_text
from capacity.monitor.readings import Reading


class BacklogCollector(HostCollector):
    provides = ("backlog_drops", "backlog_squeezes")

    def __init__(self, proc: str = "/proc") -> None:
        self._path = f"{proc}/net/softnet_stat"

    def collect(self) -> Reading:
        cores = list(_parse(read_text(self._path)))
        return Reading(
            counters={
                "backlog_drops": float(sum(drops for drops, _ in cores)),
                "backlog_squeezes": float(sum(squeezes for _, squeezes in cores)),
            }
        )


def _parse(text: str) -> Iterator[tuple[int, int]]:
    for line in text.splitlines():
        columns = line.split()
        if len(columns) < 3:
            raise ValueError(f"a core has 3 numbers or more: {line!r}")
        yield int(columns[1], 16), int(columns[2], 16)
