"""What can be set on the bundled exchange."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from capacity.exchange.faults.ordered_faults import Fault


class Burstiness(StrEnum):
    """How the updates of an instrument are spread over time."""

    STEADY = "steady"
    """Evenly, the instruments staggered over the interval: the predictable default."""

    POISSON = "poisson"
    """Independent of one another (index of dispersion 1)."""

    BURSTY = "bursty"
    """Gamma-modulated Poisson, index of dispersion 15 over a second: a live feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeOptions:
    host: str = "127.0.0.1"
    port: int = 8080
    """0 takes any free port."""
    processes: int = 1
    """Processes that share the port; limits and costs are those of each."""
    seed: int = 1
    instruments: int = 10
    updates_per_s: float = 1.0
    """Moves of each instrument's market; each reaches every channel of that instrument."""
    burstiness: Burstiness = Burstiness.STEADY
    state_bytes: int = 0
    """Memory held for each open WebSocket connection, beside what it takes anyway."""
    cpu_per_message_us: float = 0.0
    """CPU time burned for each delivered update."""
    backlog: int = 1024
    """Handshakes that the kernel queues for us (listen(2))."""
    max_connections: int | None = None
    """Open WebSocket connections admitted; None admits all."""
    max_connections_per_address: int | None = None
    """Likewise of one source address; None admits all."""
    connects_per_address: int | None = None
    """Attempts at a WebSocket connection of one source address within connects_window_s, the refused ones
    counted too; None admits all."""
    connects_window_s: float = 300.0
    """From the first attempt on; then the address begins anew."""
    credits_per_s: float | None = None
    """Credits that a source address gets back each second for its requests; None asks for none."""
    credits_burst: int = 100
    """Most credits that it may have at once."""
    ban_after: int = 10
    """Requests beyond the credits, in a row, after which the address is banned."""
    ban_s: float = 120.0
    """Length of the first ban; each further one is twice as long."""
    slow_consumer_bytes: int = 1 << 20
    """Unsent bytes of a connection beyond which its client is too slow, and it ends."""
    slow_consumer_messages: int | None = None
    """Likewise unsent messages; None counts none."""
    slow_consumer_code: int | None = None
    """What such a connection is closed with; None cuts it off without a word."""
    descriptor_limit: int | None = None
    """Soft limit of open descriptors of this process; None leaves it as it is."""
    shutdown_notice_s: float = 0.0
    """Time between the notice of a planned shutdown and its end; 0 gives none."""
    shutdown_code: int = 1001
    """What connections are closed with at the end: 1001 going away, 1012 service restart."""
    heartbeat_min_s: float = 10.0
    heartbeat_grace_s: float = 10.0
    """How long a test_request may stay unanswered."""
    ping_s: float = 20.0
    """How often Binance's streams are pinged (web-socket-streams.md of the venue, 2026)."""
    pong_s: float = 60.0
    """How long the answer may take."""
    secrets: Mapping[str, str] | None = None
    """Of the clients that may log in, by id; None takes anybody."""
    faults: tuple[Fault, ...] = ()
    takes_faults: bool = False
    """Whether POST /faults orders some more."""
    compresses: bool = False
    """Whether permessage-deflate is granted to those who offer it."""
    tls: ssl.SSLContext | None = None

    @property
    def knows_addresses(self) -> bool:
        """Tell whether anything depends on where a client comes from."""
        caps = self.max_connections_per_address, self.connects_per_address, self.credits_per_s
        return any(cap is not None for cap in caps)
