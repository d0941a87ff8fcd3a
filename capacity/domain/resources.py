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

    THREADS = "threads"
    """Threads and processes of the target, against the pids cgroup or kernel.threads-max."""

    MEMORY = "memory"
    """Memory of the target in bytes: its cgroup's if that is limited, else resident set size."""

    HOST_MEMORY = "host_memory"
    """Memory of the host in use, kernel slab included, in bytes."""

    TCP_MEMORY = "tcp_memory"
    """Kernel memory in TCP buffers, in bytes, against net.ipv4.tcp_mem."""

    CPU = "cpu"
    """Processor time of the target, in cores, against its quota or the host's cores."""

    EVENT_LOOP = "event_loop"
    """The target's hottest thread, in cores, against one core."""

    NETWORK_OUT = "network_out"
    """Bytes sent per second, against the link's speed."""


COUNTED = frozenset(
    {
        Resource.APPLICATION_CONNECTIONS,
        Resource.DESCRIPTORS,
        Resource.FILE_TABLE,
        Resource.CONNTRACK,
        Resource.THREADS,
    }
)
"""Resources taken in whole units, so that a ceiling on them is exact."""

UNITS: dict[Resource, str] = {
    Resource.APPLICATION_CONNECTIONS: "connections",
    Resource.DESCRIPTORS: "descriptors",
    Resource.FILE_TABLE: "files",
    Resource.CONNTRACK: "entries",
    Resource.THREADS: "threads",
    Resource.MEMORY: "bytes",
    Resource.HOST_MEMORY: "bytes",
    Resource.TCP_MEMORY: "bytes",
    Resource.CPU: "cores",
    Resource.EVENT_LOOP: "cores",
    Resource.NETWORK_OUT: "bytes_per_s",
}


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
    """In the resource's unit (UNITS); None unless the state is KNOWN."""
    scope: str
    """process, cgroup, namespace, host or declared."""
    source: str
    """The file, system call or configuration entry that says so."""
    reason: str | None = None
    """Why it is unknown and which privilege would help; None otherwise."""
