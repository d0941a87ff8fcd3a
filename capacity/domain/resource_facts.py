"""
What is known of each resource, one row a resource: its name, unit, how it is used up, how to lift it.

A new resource is a member of `Resource`, a row here, and a collector. Everything else that asks
"which resources are so?" is read off these rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from capacity.domain.resources import Resource


class Use(StrEnum):
    """How connections use a resource up, and so how its cost is fitted and how a forecast errs."""

    COUNTED = "counted"
    """In whole units, so that a ceiling is exact."""
    HELD_BYTES = "held_bytes"
    """Bytes that connections hold, with peaks above the line."""
    QUEUED_BYTES = "queued_bytes"
    """Bytes that wait to be sent: held, with peaks, and bending as utilization does."""
    FLOW = "flow"
    """What is spent a second. It runs out by its mean, and shows a warm-up: caches that fill, code
    that is compiled."""
    OBJECTIVE = "objective"
    """A percentile of durations that the generator measures, against the target file's objective."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFacts:
    """One row: all that the program knows of a resource beside its readings."""

    label: str
    """As reports name it."""
    unit: str
    """Of its use and of its limit."""
    use: Use
    remedy: str
    """How to lift its limit: a clause with the exact setting, without a full stop."""
    cgroup_remedy: str | None = None
    """The same where the limit is a cgroup's; None: as elsewhere."""
    is_one_each: bool = False
    """A connection takes one unit, so that a limit bounds the load before anything is opened."""
    is_process_bytes: bool = False
    """Memory of one process, which has a cap of its own whatever the host has left."""
    is_host_wide: bool = False
    """Read for the whole host, so that a generator there has a part in its use. The target's CPU is
    its own, and a connection within a host is one entry of connection tracking."""


RESOURCE_FACTS: Mapping[Resource, ResourceFacts] = {
    Resource.APPLICATION_CONNECTIONS: ResourceFacts(
        label="connections admitted by the application",
        unit="connections",
        use=Use.COUNTED,
        is_one_each=True,
        remedy=(
            "Raise the application's own connection limit (nginx: worker_connections, HAProxy: "
            "maxconn) and keep the descriptor limit above it"
        ),
    ),
    Resource.UNIDENTIFIED: ResourceFacts(
        label="a limit that was met and not identified",
        unit="connections",
        use=Use.COUNTED,
        remedy=(
            "Identify this limit: check the target's log and the kernel log at that time, and "
            "limits in the runtime and the configuration; then declare it in the target file"
        ),
    ),
    Resource.DESCRIPTORS: ResourceFacts(
        label="file descriptors",
        unit="descriptors",
        use=Use.COUNTED,
        is_one_each=True,
        remedy=(
            "Raise the soft limit of open files: LimitNOFILE= in the systemd unit (nginx: "
            "worker_rlimit_nofile), or prlimit --pid PID --nofile=SOFT:HARD on the running "
            "process; fs.nr_open is the upper bound"
        ),
    ),
    Resource.THREADS: ResourceFacts(
        label="threads",
        unit="threads",
        use=Use.COUNTED,
        remedy=(
            "Raise the sysctl kernel.threads-max (and kernel.pid_max), or serve many connections "
            "from one thread"
        ),
        cgroup_remedy="Raise pids.max of the cgroup (TasksMax= in the systemd unit)",
    ),
    Resource.USER_PROCESSES: ResourceFacts(
        label="processes of the target's user",
        unit="threads",
        use=Use.COUNTED,
        is_host_wide=True,
        remedy=(
            "Raise RLIMIT_NPROC of the target (LimitNPROC= in the systemd unit; nproc in "
            "limits.conf), or run it as a user of its own"
        ),
    ),
    Resource.FILE_TABLE: ResourceFacts(
        label="system file table",
        unit="files",
        use=Use.COUNTED,
        is_one_each=True,
        is_host_wide=True,
        remedy="Raise the sysctl fs.file-max",
    ),
    Resource.CONNTRACK: ResourceFacts(
        label="connection-tracking table",
        unit="entries",
        use=Use.COUNTED,
        is_one_each=True,
        remedy=(
            "Raise the sysctl net.netfilter.nf_conntrack_max, or exempt the port from tracking "
            "(notrack)"
        ),
    ),
    Resource.OUTGOING_PORTS: ResourceFacts(
        label="ports for connections to one upstream",
        unit="ports",
        use=Use.COUNTED,
        remedy=(
            "Widen the sysctl net.ipv4.ip_local_port_range, or spread the connections over more "
            "upstream addresses or ports, or over more local addresses (nginx: proxy_bind; "
            "HAProxy: source)"
        ),
    ),
    Resource.EPOLL_WATCHES: ResourceFacts(
        label="epoll registrations",
        unit="registrations",
        use=Use.COUNTED,
        remedy="Raise the sysctl fs.epoll.max_user_watches",
    ),
    Resource.MEMORY_MAPS: ResourceFacts(
        label="memory mappings",
        unit="maps",
        use=Use.COUNTED,
        remedy="Raise the sysctl vm.max_map_count, or serve many connections from one thread",
    ),
    Resource.ADDRESS_SPACE: ResourceFacts(
        label="address space of a process",
        unit="bytes",
        use=Use.HELD_BYTES,
        is_process_bytes=True,
        remedy=(
            "Raise RLIMIT_AS of the target (ulimit -v; LimitAS= in the systemd unit), or map less "
            "for a connection (a thread maps its whole stack: ulimit -s, "
            "pthread_attr_setstacksize; glibc reserves 64 MiB for each of the first threads: "
            "MALLOC_ARENA_MAX)"
        ),
    ),
    Resource.DATA_SEGMENT: ResourceFacts(
        label="data segment of a process",
        unit="bytes",
        use=Use.HELD_BYTES,
        is_process_bytes=True,
        remedy=(
            "Raise RLIMIT_DATA of the target (ulimit -d; LimitDATA= in the systemd unit), or map "
            "less for a connection (a thread maps its whole stack: ulimit -s, "
            "pthread_attr_setstacksize)"
        ),
    ),
    Resource.HEAP: ResourceFacts(
        label="heap of a runtime",
        unit="bytes",
        use=Use.HELD_BYTES,
        is_process_bytes=True,
        remedy=(
            "Raise the cap of the runtime's heap (JVM: -Xmx or -XX:MaxRAMPercentage; node: "
            "--max-old-space-size; .NET: DOTNET_GCHeapHardLimit; Go: GOMEMLIMIT, beyond which it "
            "only collects garbage ever more often) and keep the memory limit above it, or use "
            "less heap per connection"
        ),
    ),
    Resource.TCP_MEMORY: ResourceFacts(
        label="kernel memory for TCP",
        unit="bytes",
        use=Use.QUEUED_BYTES,
        is_host_wide=True,
        remedy=(
            "Raise the third value of the sysctl net.ipv4.tcp_mem (in pages), or lower "
            "net.ipv4.tcp_wmem and disconnect slow consumers"
        ),
        cgroup_remedy="Raise memory.kmem.tcp.limit_in_bytes of the cgroup",
    ),
    Resource.EVENT_LOOP: ResourceFacts(
        label="event loop (hottest thread)",
        unit="cores",
        use=Use.FLOW,
        remedy=(
            "Run more processes or shards, so that several event loops share the connections: one "
            "loop uses at most one core"
        ),
    ),
    Resource.MEMORY: ResourceFacts(
        label="memory of the target",
        unit="bytes",
        use=Use.HELD_BYTES,
        remedy=(
            "Give the target more memory, or make a connection cheaper (smaller buffers, no "
            "permessage-deflate context per connection)"
        ),
        cgroup_remedy=(
            "Raise memory.max of the cgroup (MemoryMax= in the systemd unit; memory.limit_in_bytes"
            " in cgroup v1; the memory limit of the pod or container), or make a connection "
            "cheaper"
        ),
    ),
    Resource.HOST_MEMORY: ResourceFacts(
        label="memory of the host",
        unit="bytes",
        use=Use.HELD_BYTES,
        is_host_wide=True,
        remedy="Add memory to the host, or move other workloads off it",
    ),
    Resource.CPU: ResourceFacts(
        label="CPU of the target",
        unit="cores",
        use=Use.FLOW,
        remedy="Give the target more cores, or add an instance",
        cgroup_remedy=(
            "Raise the quota cpu.max of the cgroup (CPUQuota= in the systemd unit; "
            "cpu.cfs_quota_us in cgroup v1; the CPU limit of the pod or container), or add an "
            "instance"
        ),
    ),
    Resource.NETWORK_OUT: ResourceFacts(
        label="network, outgoing",
        unit="bytes_per_s",
        use=Use.FLOW,
        remedy=(
            "Use a faster link (or raise the rate of its tbf qdisc, where that is the limit), or "
            "send less (compression, conflation, fewer subscriptions)"
        ),
    ),
    Resource.DELIVERY_DELAY: ResourceFacts(
        label="delivery delay",
        unit="seconds",
        use=Use.OBJECTIVE,
        remedy=(
            "Spread the subscribers over more processes or instances, or send less to each "
            "(conflation, fewer subscriptions)"
        ),
    ),
    Resource.REQUEST_LATENCY: ResourceFacts(
        label="request latency",
        unit="seconds",
        use=Use.OBJECTIVE,
        remedy="Serve requests from more processes or instances, or cache responses",
    ),
    Resource.HANDSHAKE_TIME: ResourceFacts(
        label="handshake time",
        unit="seconds",
        use=Use.OBJECTIVE,
        remedy=(
            "Accept connections in more processes, enable TLS session resumption, or slow down "
            "client connects"
        ),
    ),
}
"""Cheapest to raise first, from a line in the application's configuration to a bigger machine: of
equal ceilings the first row's is named. An objective's resource is the name of its series of
durations too."""

TIE_ORDER = tuple(RESOURCE_FACTS)
UNITS = {resource: facts.unit for resource, facts in RESOURCE_FACTS.items()}


def _used_as(*uses: Use) -> frozenset[Resource]:
    return frozenset(resource for resource, facts in RESOURCE_FACTS.items() if facts.use in uses)


COUNTED = _used_as(Use.COUNTED)
FLOWS = _used_as(Use.FLOW)
LATENCIES = _used_as(Use.OBJECTIVE)
ENVELOPED = _used_as(Use.HELD_BYTES, Use.QUEUED_BYTES)
"""Memory runs out by its peaks, so that a reserve for them is part of its line."""

PROCESS_BYTES = frozenset(r for r, facts in RESOURCE_FACTS.items() if facts.is_process_bytes)
ONE_EACH = tuple(r for r, facts in RESOURCE_FACTS.items() if facts.is_one_each)
HOST_WIDE = tuple(r for r, facts in RESOURCE_FACTS.items() if facts.is_host_wide)
