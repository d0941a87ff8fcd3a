"""What can be set on the bundled exchange."""

from dataclasses import dataclass
from enum import StrEnum


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
    descriptor_limit: int | None = None
    """Soft limit of open descriptors of this process; None leaves it as it is."""
    heartbeat_min_s: float = 10.0
    heartbeat_grace_s: float = 10.0
    """How long a test_request may stay unanswered."""
