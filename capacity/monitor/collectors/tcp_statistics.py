"""The kernel's own counts of TCP, in the target's network namespace.

`sockets_established` holds every open connection of the namespace, those that the target made
itself and both ends of one over loopback included (CurrEstab: ESTABLISHED and CLOSE_WAIT).
"""

from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.procfs import needed, parse_paired_lines, read_text
from capacity.monitor.readings import Reading
from capacity.monitor.target import TargetView


class TcpStatisticsCollector(TargetCollector):
    provides = ("sockets_established", "listen_overflows", "listen_drops", "retransmits")

    def collect(self, target: TargetView) -> Reading:
        network = f"{target.proc}/{target.root}/net"
        extended = parse_paired_lines(read_text(f"{network}/netstat"), "TcpExt")
        tcp = parse_paired_lines(read_text(f"{network}/snmp"), "Tcp")
        return Reading(
            gauges={"sockets_established": float(needed(tcp, "CurrEstab"))},
            counters={
                "listen_overflows": float(needed(extended, "ListenOverflows")),
                "listen_drops": float(needed(extended, "ListenDrops")),
                "retransmits": float(needed(tcp, "RetransSegs")),
            },
        )
