"""Ports that connections to one upstream take, against net.ipv4.ip_local_port_range.

A port is taken for each pair of a local address and a destination, by whoever lives in the target's
network namespace; what counts is the fullest pair that the target has a socket of. The clients of the
target, on both their ends, are left out, for which its listeners must be known (ConnectionsCollector
reads them first). A socket that was bound before it connects (without IP_BIND_ADDRESS_NO_PORT, ip(7))
takes its port for all destinations: of that the kernel tells nothing.

The port of a connection that the target's side closed is taken for another minute (TIME_WAIT), unless
the kernel lets a new connection take it over: by default on loopback alone, after a second.

Whose a pair is costs a look at the target's descriptors, so it is looked up for new pairs only, and
paced; a sample before that has no reading.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.listeners import TargetListeners, held_by
from capacity.monitor.host.network_namespace import inside_namespace
from capacity.monitor.host.port_reuse import port_reuse
from capacity.monitor.host.sock_diag import FAMILIES, Outgoing
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.limits.sysctls import free_ports, sysctl_path
from capacity.monitor.pace import Pace
from capacity.monitor.readings import READ_ERRORS, Reading

_EVERY_S = 2.0
_COST_RATIO = 0.001
_UNTOLD = (
    "the target's listening ports are unknown: its clients would be counted as upstream connections"
)
_INTERVAL_GAUGE = "outgoing_ports_interval_s"
_CLOSED_GAUGE = "outgoing_ports_closed"


class OutgoingPortsCollector(TargetCollector):
    provides = (Resource.OUTGOING_PORTS, _INTERVAL_GAUGE, _CLOSED_GAUGE)

    def __init__(self, listeners: TargetListeners) -> None:
        self._listeners = listeners
        self._pace = Pace(_EVERY_S, _COST_RATIO)
        self._search = Pace(_EVERY_S, _COST_RATIO)
        self._is_ours: dict[bytes, bool] = {}

    def collect(self, target: TargetView) -> Reading:
        if not self._pace.is_due:
            return Reading()
        listening = {listener.port for listener in self._listeners.latest}
        if not listening:
            return Reading(missing=dict.fromkeys(self.provides, _UNTOLD))
        with self._pace.reading():
            table = self._listeners.table(target)
            with inside_namespace(target.root, target.proc):
                reuse = port_reuse(target.proc)
            pairs: dict[bytes, Outgoing] = {}
            for family in FAMILIES:
                pairs |= table.outgoing(family, listening, reuse)
            fullest = self._fullest(target, pairs)
        if fullest is None:
            return Reading()
        return Reading(
            used={Resource.OUTGOING_PORTS: float(fullest.connections + fullest.closed)},
            gauges={_INTERVAL_GAUGE: self._pace.interval_s, _CLOSED_GAUGE: float(fullest.closed)},
        )

    def limits(self, target: TargetView) -> Iterable[Limit]:
        source = sysctl_path("net.ipv4.ip_local_port_range", target.proc)
        try:
            listening = {entry.port for entry in self._listeners.table(target).listeners()}
            with inside_namespace(target.root, target.proc):
                ports = free_ports(target.proc, listening)
        except READ_ERRORS as error:
            return [unknown(Resource.OUTGOING_PORTS, "namespace", source, error)]
        where = f"{source}, less reserved and listening ports"
        return [known(Resource.OUTGOING_PORTS, ports, "namespace", where)]

    def _fullest(self, target: TargetView, pairs: dict[bytes, Outgoing]) -> Outgoing | None:
        """Return the target's fullest pair; None while it is not known whose."""
        self._is_ours = {pair: ours for pair, ours in self._is_ours.items() if pair in pairs}
        # What is closed has no owner any more: whose a pair is tells one of its connections.
        new = {pair for pair, found in pairs.items() if found.inode} - self._is_ours.keys()
        if new and self._search.is_due:
            with self._search.reading():
                held = held_by(target)
            self._is_ours |= {pair: pairs[pair].inode in held for pair in new}
        by_ports = sorted(pairs.items(), key=lambda entry: -_ports(entry[1]))
        for pair, found in by_ports:
            is_ours = self._is_ours.get(pair)
            if is_ours is None and found.inode:
                return None
            if is_ours:
                return found
        return Outgoing(connections=0, closed=0, inode=0)


def _ports(pair: Outgoing) -> int:
    return pair.connections + pair.closed
