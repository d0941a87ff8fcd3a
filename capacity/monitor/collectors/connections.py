"""Connections that the target's listeners have accepted, and how full their accept queues are.

Those that the target's own processes opened, as of a relay to what stands behind it in the same tree, are
no clients and do not count. The queues are read for every sample. Counting connections costs the kernel about a microsecond each,
so the census is not taken for every sample: every two seconds while it is cheap, more rarely when it
is not. A sample between two censuses has neither the number nor an entry in `missing`.
How many connections the application admits is its own configuration: no limit is read here.
"""

from capacity.domain.resources import Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.listeners import InnerConnections, TargetListeners
from capacity.monitor.host.sock_diag import FAMILIES, Listener, SocketTable
from capacity.monitor.host.target import TargetView
from capacity.monitor.pace import Pace
from capacity.monitor.readings import Reading

_CENSUS_S = 2.0
_CENSUS_COST_RATIO = 0.002
"""The census may take this share of a core: above 4 ms it is taken more rarely."""
_DROPS = "target_listen_drops"
_SEGMENTS, _RETRANSMITS = "target_segments_sent", "target_retransmits"
_INTERVAL_GAUGE = "application_connections_interval_s"


class ConnectionsCollector(TargetCollector):
    provides = (
        Resource.APPLICATION_CONNECTIONS,
        "accept_queue",
        "accept_queue_limit",
        _INTERVAL_GAUGE,
        _DROPS,
        _SEGMENTS,
        _RETRANSMITS,
    )

    def __init__(self, listeners: TargetListeners) -> None:
        self._listeners = listeners
        self._pace = Pace(_CENSUS_S, _CENSUS_COST_RATIO)
        self._inner = InnerConnections()
        self._sent = _Sent()

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
        table = self._listeners.table(target)
        counters |= self._sent.read(target.started_at, table, listeners)
        if not self._pace.is_due:
            return Reading(gauges=gauges, counters=counters)
        with self._pace.reading():
            connections = self._census(target, listeners)
        if connections is None:
            return Reading(gauges=gauges, counters=counters)
        gauges[_INTERVAL_GAUGE] = self._pace.interval_s
        used = {Resource.APPLICATION_CONNECTIONS: float(connections)}
        return Reading(used=used, gauges=gauges, counters=counters)

    def _census(self, target: TargetView, listeners: list[Listener]) -> int | None:
        """Count what comes from elsewhere; None while it is not known what does."""
        table = self._listeners.table(target)
        inner = self._inner.count(target, table, listeners)
        if inner is None:
            return None
        accepted = sum(table.established(family, _ports(listeners, family)) for family in FAMILIES)
        return max(0, accepted - inner)


class _Sent:
    """What the target's own connections sent, and sent again: read as rarely as it is dear.

    In between the counters stand still. A connection that ends takes what it had sent along, so they
    count what is open; a neighbour's traffic is never in them.
    """

    def __init__(self) -> None:
        self._pace = Pace(_CENSUS_S, _CENSUS_COST_RATIO)
        self._of: float | None = None
        self._before = (0, 0)
        self._counters: dict[str, float] = {}

    def read(
        self, started_at: float, table: SocketTable, listeners: list[Listener]
    ) -> dict[str, float]:
        """Return the counters of the target that was started at *started_at*."""
        if not self._pace.is_due and self._of == started_at:
            return self._counters
        with self._pace.reading():
            sent = [table.sent(family, _ports(listeners, family)) for family in FAMILIES]
        now = (sum(segments for segments, _ in sent), sum(again for _, again in sent))
        if self._of != started_at:
            self._of, self._before = started_at, now
            self._counters = {_SEGMENTS: 0.0, _RETRANSMITS: 0.0}
        grown = [max(0, after - before) for before, after in zip(self._before, now, strict=True)]
        self._before = now
        self._counters = {
            _SEGMENTS: self._counters[_SEGMENTS] + grown[0],
            _RETRANSMITS: self._counters[_RETRANSMITS] + grown[1],
        }
        return self._counters


def _ports(listeners: list[Listener], family: int) -> set[int]:
    return {entry.port for entry in listeners if entry.family == family}


def _fullness(listener: Listener) -> tuple[float, int]:
    limit = max(1, listener.accept_queue_limit)
    return listener.accept_queue / limit, -limit
