"""What the exchange counts of itself: a second witness beside what a load generator saw."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    accepted: int = 0
    """WebSocket upgrades granted since the start."""
    refused: int = 0
    """WebSocket upgrades answered 503."""
    throttled: int = 0
    """Upgrades and requests refused to an address that had its share (429)."""
    banned: int = 0
    """Upgrades and requests of addresses that went on all the same (418)."""
    open_connections: int = 0
    """WebSocket connections open now."""
    subscriptions: int = 0
    """Channels followed now, summed over the connections."""
    deliveries: int = 0
    """Updates handed to connections, snapshots included."""
    requests: int = 0
    """HTTP requests answered with a result."""
    too_slow: int = 0
    """Connections ended because they did not read."""
    faults: int = 0
    """Faults that were done."""
    withheld: int = 0
    """Messages with updates that a fault left out; they are no deliveries."""
    accept_failures: int = 0
    """Times that no connection could be accepted for want of a resource."""
    slipped_s: float = 0.0
    """Time by which updates fell behind their schedule and were not made up for, summed over
    the instruments."""
