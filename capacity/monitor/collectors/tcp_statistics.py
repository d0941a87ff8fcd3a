"""The kernel's own counts of TCP, in the target's network namespace.

`sockets_established` holds every open connection of the namespace, those that the target made
itself and both ends of one over loopback included (CurrEstab: ESTABLISHED and CLOSE_WAIT).
"""

from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.procfs import needed, parse_paired_lines, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.readings import Reading

_EXTENDED = {
    "listen_overflows": "ListenOverflows",
    "listen_drops": "ListenDrops",
    "syn_cookies_sent": "SyncookiesSent",
    "syn_queue_drops": "TCPReqQFullDrop",
    "syn_retransmits": "TCPSynRetrans",
    "retransmission_timeouts": "TCPTimeouts",
    "time_wait_overflows": "TCPTimeWaitOverflow",
    "tcp_memory_pressures": "TCPMemoryPressures",
    "tcp_memory_aborts": "TCPAbortOnMemory",
}
"""Our name -> entry of TcpExt in /proc/net/netstat (Linux, networking/snmp_counter.rst)."""


class TcpStatisticsCollector(TargetCollector):
    provides = ("sockets_established", "retransmits", "segments_sent", *_EXTENDED)

    def collect(self, target: TargetView) -> Reading:
        network = f"{target.proc}/{target.root}/net"
        extended = parse_paired_lines(read_text(f"{network}/netstat"), "TcpExt")
        tcp = parse_paired_lines(read_text(f"{network}/snmp"), "Tcp")
        counters = {
            name: float(extended[entry]) for name, entry in _EXTENDED.items() if entry in extended
        }
        missing = {
            name: f"this kernel does not count {entry}"
            for name, entry in _EXTENDED.items()
            if entry not in extended
        }
        return Reading(
            gauges={"sockets_established": float(needed(tcp, "CurrEstab"))},
            counters={
                "retransmits": float(needed(tcp, "RetransSegs")),
                "segments_sent": float(needed(tcp, "OutSegs")),
                **counters,
            },
            missing=missing,
        )
