"""Bytes sent and received by the interfaces that the target's clients are behind.

Those are the interfaces of the default routes, else all but the loopback: counting bridges, bonds
and tunnels as well would count a byte twice. When everything that the target listens on is bound
to a loopback address, its traffic is the loopback's, which has no line speed to run into; a token bucket on an interface caps it all the same.
"""

import time
from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.procfs import parse_interfaces, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.links import LOOPBACK, link_limit
from capacity.monitor.readings import Reading


class NetworkCollector(TargetCollector):
    provides = (Resource.NETWORK_OUT, "network_rx_bytes", "network_tx_bytes")

    def __init__(self, listeners: TargetListeners, sys: str = "/sys") -> None:
        self._listeners = listeners
        self._sys = sys
        self._routed: frozenset[str] = frozenset()
        self._limited: frozenset[str] | None = None
        """The interfaces whose limit was stated; None when it is to be read again."""
        self._before: tuple[frozenset[str], float, int, float] | None = None
        """Interfaces, start of the target, bytes sent, when read."""

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Look up the routes again; the limit belongs to the interfaces and comes with the usage."""
        self._routed, self._limited = routed_interfaces(target), None
        return ()

    def collect(self, target: TargetView) -> Reading:
        traffic = parse_interfaces(read_text(f"{target.proc}/{target.root}/net/dev"))
        names = self._interfaces(traffic)
        received = sum(traffic[name][0] for name in names)
        sent = sum(traffic[name][1] for name in names)
        now_s = time.monotonic()
        before, self._before = self._before, (names, target.started_at, sent, now_s)
        used: dict[Resource, float] = {}
        missing: dict[str, str] = {}
        if before is None or before[:2] != (names, target.started_at):
            missing[Resource.NETWORK_OUT] = "first reading of these interfaces: a rate needs two"
        elif sent < before[2]:
            missing[Resource.NETWORK_OUT] = "the interface's counter started anew"
        else:
            used[Resource.NETWORK_OUT] = (sent - before[2]) / (now_s - before[3])
        counters = {"network_rx_bytes": float(received), "network_tx_bytes": float(sent)}
        limits = () if self._limited == names else (link_limit(names, target, self._sys),)
        self._limited = names
        return Reading(used=used, counters=counters, missing=missing, limits=limits)

    def _interfaces(self, traffic: dict[str, tuple[int, int]]) -> frozenset[str]:
        if self._listeners.is_loopback_only and LOOPBACK in traffic:
            return frozenset({LOOPBACK})
        routed = self._routed & traffic.keys()
        return routed or frozenset(traffic.keys() - {LOOPBACK}) or frozenset(traffic)


def routed_interfaces(target: TargetView) -> frozenset[str]:
    """Return the interfaces of the namespace's default routes, IPv4 and IPv6."""
    network = f"{target.proc}/{target.root}/net"
    names = set()
    for file, destination, mask, name in (("route", 1, 7, 0), ("ipv6_route", 0, 1, 9)):
        try:
            lines = read_text(f"{network}/{file}").splitlines()
        except OSError:
            continue  # Without this family there are no routes of it.
        rows = [line.split() for line in lines]
        names |= {
            row[name]
            for row in rows
            if len(row) > max(mask, name)
            and not row[destination].strip("0")
            and not row[mask].strip("0")
        }
    return frozenset(names - {LOOPBACK})
