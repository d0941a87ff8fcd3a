"""One case: a server, a planted limit, how much of the truth the safe run may use, a seed.

*expected* is where the limit should bite by what was planted: connections, or arrivals a second where
the breaking is a storm. It chooses where the breaking begins, and how far the load goes where a case is
told so; as shipped (no *fraction*), nothing that the product gets follows from it.
"""

from dataclasses import dataclass, field

KINDS = {
    "descriptors": "counted",
    "tasks": "counted",
    "application cap": "counted",
    "near tie": "counted",
    "prefork descriptors": "counted",
    "outgoing ports": "counted",
    "connection tracking": "counted",
    "few tasks": "counted",
    "hidden cap": "hidden",
    "own cap": "hidden",
    "door that closes": "hidden",
    "cap behind the upgrade": "hidden",
    "cap that starves": "hidden",
    "wait for each update": "hidden",
    "ports of the machine": "hidden",
    "memory of a container": "memory",
    "high watermark": "heap",
    "heap cap": "heap",
    "address space": "heap",
    "memory at a fifth": "memory",
    "memory below a million descriptors": "memory",
    "table that doubles": "memory",
    "memory": "memory",
    "memory with deflate": "memory",
    "bursty memory": "memory",
    "leaking memory": "memory",
    "slow readers": "memory",
    "CPU quota": "CPU",
    "CPU quota with batches": "CPU",
    "CPU quota without a spin": "CPU",
    "one loop": "CPU",
    "egress bandwidth": "CPU",
    "loop at its SLO": "SLO",
    "own work at its SLO": "SLO",
    "unseen mix": "unseen mix",
    "accept queue": "arrivals",
    "connect rate": "arrivals",
    "slow acceptor": "arrivals",
    "handshake CPU": "arrivals",
    "TLS handshake CPU": "arrivals",
}
"""Limit -> row of the table of scores."""
PROTOCOLS = {
    "nginx": "url",
    "mosquitto": "mqtt",
    "rabbitmq-mqtt": "mqtt",
    "rabbitmq-stomp": "stomp",
    "ejabberd": "xmpp",
    "prosody": "xmpp",
}
"""Server -> what it speaks, where that is not the conversation of the servers made here."""


@dataclass(frozen=True, kw_only=True)
class Case:
    server: str
    limit: str
    """Class of the limit, as in the table of scores."""
    binding: str
    """Resource that the product has to name."""
    expected: int
    fraction: float = 0.0
    """Of what is held, as far as the safe run may go; 0: as far as the profile as shipped does."""
    seed: int = 1
    options: tuple[str, ...] = ()
    """Of the server."""
    descriptors: int = 19_000
    memory_bytes: int = 0
    address_space_bytes: int = 0
    """Of a process (RLIMIT_AS)."""
    cpu_ratio: float = 0.0
    tasks: int = 0
    egress_bytes_per_s: int = 0
    ports: int = 0
    """That connections may go out from."""
    tracked: int = 0
    """Entries of the connection-tracking table."""
    declared: dict = field(default_factory=dict)
    """The target file's limits."""
    tls: bool = False
    admitted_per_s: float = 0.0
    """New connections that the server admits; declared in the target file."""
    slo_ms: float = 0.0
    breaking: str = "ramp"
    hold_s: float = 0.0
    updates_per_s: float = 2.0
    """Of a subscriber."""
    other_rate_per_s: float = 0.0
    """Updates a second in the mix that is asked about and broken, where it is not the one tested."""
    slow_readers_ratio: float = 0.0
    """Share of the clients that read less than they are sent."""
    settle_s: float = 1.5
    plateau_s: float = 5.0
    round: int = 0
    """Cases of the first round have each kind of limit once."""
    polls_per_s: float = 0.0
    """Of a connection, in the mix that is broken."""
    is_polled: bool = True
    """Whether clients poll the server, where it answers polls."""

    @property
    def name(self):
        if not self.fraction:
            return f"{self.limit}-{self.server}-{self.seed}"
        return f"{self.limit}-{self.server}-{self.fraction * 100:.0f}-{self.seed}"

    @property
    def kind(self):
        """The row of the table of scores."""
        return KINDS[self.limit]

    @property
    def protocol(self):
        """What the server speaks over WebSocket."""
        return PROTOCOLS.get(self.server, "json")

    @property
    def has_rest(self):
        """Whether the server answers polls, and is asked to."""
        is_ours = self.protocol == "json" and self.server not in {"threads", "websocketd"}
        return self.is_polled and is_ours

    @property
    def is_deflated(self):
        """Whether clients offer compression and the server takes it."""
        return "--deflate" in self.options

    @property
    def is_planted_in_network(self):
        """Whether the limit is one of the network that the server lives in."""
        return bool(self.egress_bytes_per_s or self.ports or self.tracked)

    @property
    def needs_namespace(self):
        """Whether the server lives in a network namespace of its own.

        As shipped all do: guards look at what a whole namespace sends again.
        """
        return self.is_planted_in_network or not self.fraction

    @property
    def may_have_company(self):
        """Whether another case that may beside it, on the second core, changes nothing."""
        uncounted = {"counted", "memory", "hidden", "heap"}
        return self.kind in uncounted and not self.is_planted_in_network

    @property
    def breaks_at_once(self):
        """Connections that the breaker has under way: few where too many would overshoot."""
        if self.server == "nginx":
            return 60  # Each waits for the next update to know that it is served.
        if self.breaking == "storm":
            return 50
        return 4 if self.tasks or self.memory_bytes or self.kind == "heap" else 10

    @property
    def counted_bound(self):
        """What the product can count before any load: threads take a load to be told."""
        workers = 2 if self.server == "prefork" else 1
        declared = self.declared.get("application_connections", {}).get("value")
        bounds = (self.descriptors * workers, declared, self.tracked)
        return min(bound for bound in bounds if bound)
