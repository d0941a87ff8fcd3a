"""What a target can run out of, and how much of it there is."""

from dataclasses import dataclass
from enum import StrEnum


class Resource(StrEnum):
    """Something whose exhaustion caps the number of connections."""

    APPLICATION_CONNECTIONS = "application_connections"
    """Connections the application admits by its own configuration (worker_connections, maxconn)."""

    DESCRIPTORS = "descriptors"
    """Open file descriptors of one process, against its soft limit."""

    FILE_TABLE = "file_table"
    """Open files of the whole system, against fs.file-max."""

    CONNTRACK = "conntrack"
    """Entries of the kernel's connection-tracking table."""

    OUTGOING_PORTS = "outgoing_ports"
    """Local ports of the host's connections to one address and port elsewhere: a proxy takes one of
    them for each of its clients, against net.ipv4.ip_local_port_range."""

    THREADS = "threads"
    """Threads and processes of the target, against the pids cgroup or kernel.threads-max."""

    USER_PROCESSES = "user_processes"
    """Threads and processes of the target's user, against RLIMIT_NPROC."""

    EPOLL_WATCHES = "epoll_watches"
    """Descriptors registered in epoll sets, against fs.epoll.max_user_watches."""

    MEMORY_MAPS = "memory_maps"
    """Memory mappings of one process, against vm.max_map_count; a thread takes two."""

    MEMORY = "memory"
    """Memory of the target in bytes: its cgroup's if that is limited, else resident set size."""

    HOST_MEMORY = "host_memory"
    """Memory of the host in use, kernel slab included, in bytes."""

    ADDRESS_SPACE = "address_space"
    """Addresses that one process has mapped, in bytes, used or not, against RLIMIT_AS."""

    DATA_SEGMENT = "data_segment"
    """Private writable memory that one process has mapped, in bytes, against RLIMIT_DATA."""

    HEAP = "heap"
    """Heap of one process, in bytes, against the cap that its runtime was given (-Xmx)."""

    TCP_MEMORY = "tcp_memory"
    """Kernel memory in TCP buffers, in bytes, against net.ipv4.tcp_mem or the cgroup's share."""

    CPU = "cpu"
    """Processor time of the target, in cores, against its quota or the host's cores."""

    EVENT_LOOP = "event_loop"
    """The target's hottest thread, in cores, against one core."""

    NETWORK_OUT = "network_out"
    """Bytes sent per second, against the link's speed."""

    DELIVERY_DELAY = "delivery_delay"
    """Percentile of published to read, in seconds, against the objective in the target file."""

    REQUEST_LATENCY = "request_latency"
    """Percentile of intended start to reply, in seconds, against its objective."""

    HANDSHAKE_TIME = "handshake_time"
    """Percentile of TCP to subscription confirmed, in seconds, against its objective."""

    UNIDENTIFIED = "unidentified"
    """A limit that a run met without seeing what gave out: the target ended, or fell behind."""


APPLICATION = "application"
"""Scope of a limit that stands in the application's own configuration."""
MAY_ADMIT_MORE = "it may admit more"
"""How the source ends of a limit that the application's version may not apply."""


SELECT = "select"
"""Scope of a limit that select(2) sets, where an application waits for its clients with it."""


class LimitState(StrEnum):
    """What is known of a limit. The three ways of having no number differ."""

    KNOWN = "known"
    UNLIMITED = "unlimited"
    """Read, and there is none: never the binding constraint."""
    UNKNOWN = "unknown"
    """Could not be read: it may bind at any time, and the plan says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How much of one resource there is, and where that was read."""

    resource: Resource
    state: LimitState
    value: float | None
    """In the resource's unit (its row in RESOURCE_FACTS); None unless the state is KNOWN."""
    scope: str
    """process, cgroup, user, namespace, host, application (its own configuration), select, declared, or
    met where the run itself ran into it."""
    source: str
    """The file, system call or configuration entry that says so."""
    reason: str | None = None
    """Why it is unknown and which privilege would help; None otherwise."""
    ports: tuple[int, ...] = ()
    """Listening ports that it holds for; none: whichever port a connection came to."""

    @property
    def place(self) -> tuple[Resource, str, str]:
        """What tells it from the other limits on its resource, also when its value changes."""
        # In a configuration, file and line move; one may have a cap and another that is not clear.
        is_unknown = self.state is LimitState.UNKNOWN
        where = f"{self.ports} {is_unknown}" if self.scope == APPLICATION else self.source
        return self.resource, self.scope, where


class Scaling(StrEnum):
    """What uses a limit up."""

    CONNECTIONS = "connections"
    """Whole units a connection."""
    THREADS = "threads"
    """Whole units a thread or process, and so a connection where each has one."""
    BYTES = "bytes"
    """Memory that connections hold."""
    QUEUED_BYTES = "queued_bytes"
    """What was sent and not yet read: nothing when idle, everything with slow consumers."""
    ARRIVALS = "arrivals"
    """Connections that arrive at once, as in a reconnect storm."""
    CLOSES = "closes"
    """Connections closed per second, times how long each one lingers."""
    OUTGOING = "outgoing"
    """Connections that the target itself opens to one address and port, as a proxy does."""
    PEERS = "peers"
    """Hosts on the same link."""
    TRAFFIC = "traffic"
    """Packets, bytes or processor time per second."""
    OTHER_LIMIT = "other_limit"
    """Nothing by itself: it says how far another limit can be raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One limit as it stands in one place, whether or not a connection uses it up measurably."""

    name: str
    """As its manual calls it: net.core.somaxconn, RLIMIT_STACK, pids.max."""
    state: LimitState
    value: float | None
    """In `unit`; None unless the state is KNOWN."""
    unit: str
    scope: str
    """process, cgroup, user, namespace, host, application or select."""
    source: str
    scales_with: Scaling
    resource: Resource | None = None
    """The resource whose effective limit is the smallest of such entries; None: none is measured."""
    reason: str | None = None
    """Why it is unknown and which privilege would help, or why there is none."""
    ports: tuple[int, ...] = ()
    """Listening ports that it holds for; none: all."""
