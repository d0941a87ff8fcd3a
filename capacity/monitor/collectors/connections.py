"""Connections that the target's listeners have accepted, and how full their accept queues are.

The queues are read on every beat. Counting connections costs the kernel about a microsecond each,
so the census is not taken on every beat: every two seconds while it is cheap, more rarely when it
is not. A sample between two censuses has neither the number nor an entry in `missing`.
How many connections the application admits is its own configuration: no limit is read here.
"""

import time

from capacity.domain.resources import Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.listeners import TargetListeners
from capacity.monitor.readings import Reading
from capacity.monitor.sock_diag import FAMILIES, Listener
from capacity.monitor.target import TargetView

_CENSUS_S = 2.0
_CENSUS_COST_RATIO = 0.004
"""The census may take this share of a core: above 8 ms it is taken more rarely."""
_EARLY_S = 0.05
"""A beat that comes this much too early takes the census all the same."""


class ConnectionsCollector(TargetCollector):
    provides = (Resource.APPLICATION_CONNECTIONS, "accept_queue", "accept_queue_limit")

    def __init__(self, listeners: TargetListeners) -> None:
        self._listeners = listeners
        self._census_at_s = 0.0

    def collect(self, target: TargetView) -> Reading:
        listeners = self._listeners.read(target)
        if not listeners:
            return Reading(missing=dict.fromkeys(self.provides, "the target listens on no port"))
        fullest = max(listeners, key=_fullness)
        gauges = {
            "accept_queue": float(fullest.accept_queue),
            "accept_queue_limit": float(fullest.accept_queue_limit),
        }
        now_s = time.monotonic()
        if now_s < self._census_at_s - _EARLY_S:
            return Reading(gauges=gauges)
        began_s = time.thread_time()
        connections = self._census(target, listeners)
        cost_s = time.thread_time() - began_s
        self._census_at_s = now_s + max(_CENSUS_S, cost_s / _CENSUS_COST_RATIO)
        return Reading(used={Resource.APPLICATION_CONNECTIONS: float(connections)}, gauges=gauges)

    def _census(self, target: TargetView, listeners: list[Listener]) -> int:
        table = self._listeners.table(target)
        return sum(
            table.established(family, {entry.port for entry in listeners if entry.family == family})
            for family in FAMILIES
        )


def _fullness(listener: Listener) -> tuple[float, int]:
    limit = max(1, listener.accept_queue_limit)
    return listener.accept_queue / limit, -limit
