"""Connections that the target's listeners have accepted, and how full their accept queues are.

The queues are read on every beat. Counting connections costs the kernel about a microsecond each,
so the census is not taken on every beat: every two seconds while it is cheap, more rarely when it
is not. A sample between two censuses has neither the number nor an entry in `missing`.
How many connections the application admits is its own configuration: no limit is read here.
"""

from capacity.domain.resources import Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.listeners import TargetListeners
from capacity.monitor.pace import Pace
from capacity.monitor.readings import Reading
from capacity.monitor.sock_diag import FAMILIES, Listener
from capacity.monitor.target import TargetView

_CENSUS_S = 2.0
_CENSUS_COST_RATIO = 0.002
"""The census may take this share of a core: above 4 ms it is taken more rarely."""
_DROPS = "target_listen_drops"
_INTERVAL_GAUGE = "application_connections_interval_s"


class ConnectionsCollector(TargetCollector):
    provides = (
        Resource.APPLICATION_CONNECTIONS,
        "accept_queue",
        "accept_queue_limit",
        _INTERVAL_GAUGE,
        _DROPS,
    )

    def __init__(self, listeners: TargetListeners) -> None:
        self._listeners = listeners
        self._pace = Pace(_CENSUS_S, _CENSUS_COST_RATIO)

    def collect(self, target: TargetView) -> Reading:
        listeners = self._listeners.read(target)
        if not listeners:
            return Reading(missing=dict.fromkeys(self.provides, "the target listens on no port"))
        fullest = max(listeners, key=_fullness)
        gauges = {
            "accept_queue": float(fullest.accept_queue),
            "accept_queue_limit": float(fullest.accept_queue_limit),
        }
        drops = [listener.drops for listener in listeners if listener.drops is not None]
        counters = {_DROPS: float(sum(drops))} if drops else {}
        if not self._pace.is_due:
            return Reading(gauges=gauges, counters=counters)
        with self._pace.reading():
            connections = self._census(target, listeners)
        gauges[_INTERVAL_GAUGE] = self._pace.interval_s
        used = {Resource.APPLICATION_CONNECTIONS: float(connections)}
        return Reading(used=used, gauges=gauges, counters=counters)

    def _census(self, target: TargetView, listeners: list[Listener]) -> int:
        table = self._listeners.table(target)
        return sum(
            table.established(family, {entry.port for entry in listeners if entry.family == family})
            for family in FAMILIES
        )


def _fullness(listener: Listener) -> tuple[float, int]:
    limit = max(1, listener.accept_queue_limit)
    return listener.accept_queue / limit, -limit
