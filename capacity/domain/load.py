"""Load as a vector: what a step offers, and what was measured of it."""

from dataclasses import dataclass

SLOW_HANDSHAKE_S = 0.1
"""A handshake faster than this is never slow: it is what one pause of a loop takes."""
SLOW_HANDSHAKE_RATIO = 4.0
"""Over what is usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStep:
    """Ramp to a connection count, let it settle, then measure on the plateau."""

    connections: int
    subscriptions_per_connection: int
    """Channels that each connection follows; 0 leaves the connection idle."""
    requests_per_s: float
    """REST polls, all pollers together."""
    connects_per_s: float
    """Arrival rate of the ramp, all workers together."""
    ramp_timeout_s: float
    """The step counts as not reached when that long after its last arrival it is not complete."""
    settle_s: float
    plateau_s: float
    churn_per_s: float = 0.0
    """Connections closed and opened again per second while the step is held, all workers together."""
    slow_readers_ratio: float = 0.0
    """Share of the connections that read below the publish rate while they follow a channel."""
    orders_per_s: float = 0.0
    """Requests of traders, all of them together."""
    is_mix: bool
    """The step offers the profile's full mix: capacity is quoted for its load per connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadVector:
    """What the target carried, averaged over a plateau; or, as a mix, per connection."""

    connections: float
    """Open WebSocket connections."""
    deliveries_per_s: float
    """Updates that reached subscribers (1/s)."""
    delivered_bytes_per_s: float
    """Payload bytes of the deliveries (B/s)."""
    requests_per_s: float
    """REST requests answered (1/s)."""
    handshakes_per_s: float
    """WebSocket connections opened (1/s)."""
    slow_readers_ratio: float = 0.0
    """Share of the connections that read below the publish rate; of a mix only."""
    orders_per_s: float = 0.0
    """Requests of traders answered, refusals included (1/s)."""

    def per_connection(self) -> "LoadVector":
        """Return the mix: every component divided by the connections (which become 1).

        Raises ZeroDivisionError without connections: an empty plateau has no mix.
        """
        return LoadVector(
            connections=1.0,
            deliveries_per_s=self.deliveries_per_s / self.connections,
            delivered_bytes_per_s=self.delivered_bytes_per_s / self.connections,
            requests_per_s=self.requests_per_s / self.connections,
            handshakes_per_s=self.handshakes_per_s / self.connections,
            orders_per_s=self.orders_per_s / self.connections,
        )
