"""How to lift each wall: one sentence with the exact setting, fit for where the limit was read."""

from capacity.domain.resources import Limit, Resource

_REMEDIES = {
    Resource.UNIDENTIFIED: (
        "Identify this limit: check the target's log and the kernel log at that time, and limits in"
        " the runtime and the configuration; then declare it in the target file"
    ),
    Resource.APPLICATION_CONNECTIONS: (
        "Raise the application's own connection limit (nginx: worker_connections, HAProxy: maxconn)"
        " and keep the descriptor limit above it"
    ),
    Resource.DESCRIPTORS: (
        "Raise the soft limit of open files: LimitNOFILE= in the systemd unit (nginx:"
        " worker_rlimit_nofile), or prlimit --pid PID --nofile=SOFT:HARD on the running process;"
        " fs.nr_open is the upper bound"
    ),
    Resource.FILE_TABLE: "Raise the sysctl fs.file-max",
    Resource.CONNTRACK: (
        "Raise the sysctl net.netfilter.nf_conntrack_max, or exempt the port from tracking (notrack)"
    ),
    Resource.OUTGOING_PORTS: (
        "Widen the sysctl net.ipv4.ip_local_port_range, or spread the connections over more upstream"
        " addresses or ports, or over more local addresses (nginx: proxy_bind; HAProxy: source)"
    ),
    Resource.THREADS: (
        "Raise the sysctl kernel.threads-max (and kernel.pid_max), or serve many connections from"
        " one thread"
    ),
    Resource.USER_PROCESSES: (
        "Raise RLIMIT_NPROC of the target (LimitNPROC= in the systemd unit; nproc in limits.conf),"
        " or run it as a user of its own"
    ),
    Resource.EPOLL_WATCHES: "Raise the sysctl fs.epoll.max_user_watches",
    Resource.MEMORY_MAPS: (
        "Raise the sysctl vm.max_map_count, or serve many connections from one thread"
    ),
    Resource.MEMORY: (
        "Give the target more memory, or make a connection cheaper (smaller buffers, no"
        " permessage-deflate context per connection)"
    ),
    Resource.HOST_MEMORY: "Add memory to the host, or move other workloads off it",
    Resource.ADDRESS_SPACE: (
        "Raise RLIMIT_AS of the target (ulimit -v; LimitAS= in the systemd unit), or map less for a"
        " connection (a thread maps its whole stack: ulimit -s, pthread_attr_setstacksize; glibc"
        " reserves 64 MiB for each of the first threads: MALLOC_ARENA_MAX)"
    ),
    Resource.DATA_SEGMENT: (
        "Raise RLIMIT_DATA of the target (ulimit -d; LimitDATA= in the systemd unit), or map less"
        " for a connection (a thread maps its whole stack: ulimit -s, pthread_attr_setstacksize)"
    ),
    Resource.HEAP: (
        "Raise the cap of the runtime's heap (JVM: -Xmx or -XX:MaxRAMPercentage; node:"
        " --max-old-space-size; .NET: DOTNET_GCHeapHardLimit; Go: GOMEMLIMIT, beyond which it only"
        " collects garbage ever more often) and keep the memory limit above it, or use less heap per"
        " connection"
    ),
    Resource.TCP_MEMORY: (
        "Raise the third value of the sysctl net.ipv4.tcp_mem (in pages), or lower"
        " net.ipv4.tcp_wmem and disconnect slow consumers"
    ),
    Resource.CPU: "Give the target more cores, or add an instance",
    Resource.EVENT_LOOP: (
        "Run more processes or shards, so that several event loops share the connections: one loop"
        " uses at most one core"
    ),
    Resource.NETWORK_OUT: (
        "Use a faster link (or raise the rate of its tbf qdisc, where that is the limit), or send less (compression, conflation, fewer subscriptions)"
    ),
    Resource.DELIVERY_DELAY: (
        "Spread the subscribers over more processes or instances, or send less to each"
        " (conflation, fewer subscriptions)"
    ),
    Resource.REQUEST_LATENCY: "Serve requests from more processes or instances, or cache responses",
    Resource.HANDSHAKE_TIME: (
        "Accept connections in more processes, enable TLS session resumption, or slow down client"
        " connects"
    ),
}

_CGROUP_REMEDIES = {
    Resource.UNIDENTIFIED: (
        "Identify this limit: check the target's log and the kernel log at that time, and limits in"
        " the runtime and the configuration; then declare it in the target file"
    ),
    Resource.THREADS: "Raise pids.max of the cgroup (TasksMax= in the systemd unit)",
    Resource.MEMORY: (
        "Raise memory.max of the cgroup (MemoryMax= in the systemd unit; memory.limit_in_bytes in"
        " cgroup v1; the memory limit of the pod or container), or make a connection cheaper"
    ),
    Resource.TCP_MEMORY: "Raise memory.kmem.tcp.limit_in_bytes of the cgroup",
    Resource.CPU: (
        "Raise the quota cpu.max of the cgroup (CPUQuota= in the systemd unit; cpu.cfs_quota_us in"
        " cgroup v1; the CPU limit of the pod or container), or add an instance"
    ),
}


def remedy(limit: Limit) -> str:
    """Return how to lift *limit*, naming where it was read or that it was declared."""
    sentence = _REMEDIES[limit.resource]
    if limit.scope == "cgroup":
        sentence = _CGROUP_REMEDIES.get(limit.resource, sentence)
    if limit.resource is Resource.EVENT_LOOP:
        return f"{sentence}."  # A law, not a setting: it is read from nowhere.
    how = "declared as" if limit.scope == "declared" else "read from"
    return f"{sentence}; current limit {how} {limit.source}."
