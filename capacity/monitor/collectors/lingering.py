"""Sockets that outlive their connection: TIME_WAIT and orphans, from sockstat (Linux tcp.7).

The side that closes first keeps the socket in TIME_WAIT for a minute, counted by network
namespace; an orphan waits for its peer's acknowledgement, counted by host. Both grow with closes
per second, not with connections. Beyond their limits (in the audit) the kernel drops the oldest and
refuses nobody, so these are gauges and no resources.
"""

from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.procfs import needed, parse_sockstat, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.readings import Reading


class LingeringCollector(TargetCollector):
    provides = ("sockets_time_wait", "sockets_orphaned")

    def collect(self, target: TargetView) -> Reading:
        sockets = parse_sockstat(read_text(f"{target.proc}/{target.root}/net/sockstat"), "TCP")
        return Reading(
            gauges={
                "sockets_time_wait": float(needed(sockets, "tw")),
                "sockets_orphaned": float(needed(sockets, "orphan")),
            }
        )
