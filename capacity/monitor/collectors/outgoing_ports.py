"""Ports that connections to one upstream take, against net.ipv4.ip_local_port_range.

A port is taken for each pair of a local address and a destination, by whoever lives in the target's
network namespace; what counts is the fullest pair that the target has a socket of, also where a process of
the target is at the other end. What its clients take is theirs: the ends that it accepted are left out, for
which its listeners must be known (ConnectionsCollector reads them first). A socket that was bound before it connects (without IP_BIND_ADDRESS_NO_PORT, ip(7))
takes its port for all destinations: of that the kernel tells nothing.

The port of a connection that the target's side closed is taken for another minute (TIME_WAIT), unless
the kernel lets a new connection take it over: by default on loopback alone, after a second.

A sample before it is known whose a pair is (PairOwners) has no reading.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.listeners import PairOwners, TargetListeners
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
_INNER_GAUGE = "outgoing_ports_inner"
"""Those that lead to the target itself."""


class OutgoingPortsCollector(TargetCollector):
    provides = (Resource.OUTGOING_PORTS, _INTERVAL_GAUGE, _CLOSED_GAUGE, _INNER_GAUGE)

    def __init__(self, listeners: TargetListeners) -> None:
        self._listeners = listeners
        self._pace = Pace(_EVERY_S, _COST_RATIO)
        self._owners = PairOwners()

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
        is_inner = fullest.is_here and fullest.port in listening
        return Reading(
            used={Resource.OUTGOING_PORTS: float(_ports(fullest))},
            gauges={
                _INTERVAL_GAUGE: self._pace.interval_s,
                _CLOSED_GAUGE: float(fullest.closed),
                _INNER_GAUGE: float(_ports(fullest)) if is_inner else 0.0,
            },
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
        owners = self._owners.of(target, pairs)
        by_ports = sorted(pairs.items(), key=lambda entry: -_ports(entry[1]))
        for pair, found in by_ports:
            is_ours = owners.get(pair)
            if is_ours is None and found.inode:
                return None
            if is_ours:
                return found
        return Outgoing(connections=0, closed=0, inode=0)


def _ports(pair: Outgoing) -> int:
    return pair.connections + pair.closed
