"""The exhibits, each sized as its incident was where that is small enough for two cores."""

from dataclasses import replace

import harder_limits
import limits
from case import Case
from exhibit import Exhibit


def as_shipped(limit, server, seed=1, **changed):
    """Return a case of the validation without a share that the safe run is told."""
    return replace(limit(server, 0.25, seed), fraction=0.0, **changed)


def descriptors():
    """A proxy takes two descriptors a client, and 1,024 are the default of a shell."""
    incident = as_shipped(limits.descriptors, "nginx proxy", descriptors=1024, expected=505)
    return Exhibit(
        folder="proxy_descriptors",
        incident=incident,
        twin=replace(incident, descriptors=16_384),
        load=800,
    )


def source_ports():
    incident = as_shipped(limits.outgoing_ports, "nginx proxy", ports=1000, expected=980)
    return Exhibit(
        folder="source_ports",
        incident=incident,
        twin=replace(incident, ports=0),
        load=1500,
    )


def tracked():
    # Of polls, entries stay for two minutes after them: how many then fit is a matter of time.
    incident = as_shipped(
        limits.connection_tracking, "nginx proxy", tracked=4096, expected=2000, is_polled=False
    )
    return Exhibit(
        folder="connection_tracking",
        incident=incident,
        twin=replace(incident, tracked=65_536),
        load=3000,
    )


def router_connections():
    incident = replace(harder_limits.own_cap("nginx proxy", 1), expected=510)
    return Exhibit(
        folder="router_connections",
        incident=replace(incident, options=("--max-connections", "1024")),
        twin=replace(incident, options=("--max-connections", "16384")),
        load=800,
    )


def lost_in_a_deploy():
    incident = replace(harder_limits.own_cap("nginx", 1), expected=760, updates_per_s=2.0)
    return Exhibit(
        folder="lost_in_a_deploy",
        incident=replace(incident, options=("--max-connections", "768")),
        twin=replace(incident, options=("--max-connections", "16384")),
        load=1200,
    )


def thread_a_peer():
    incident = as_shipped(limits.tasks, "threads", tasks=1000, expected=998)
    return Exhibit(
        folder="thread_a_peer",
        incident=incident,
        twin=replace(incident, tasks=8000),
        load=1500,
    )


def reconnect_storm():
    incident = as_shipped(limits.handshakes, "synthetic")
    return Exhibit(
        folder="reconnect_storm",
        incident=incident,
        twin=replace(incident, cpu_ratio=0.0, options=()),
        load=150,
    )


def session_limit():
    """HAProxy counts sessions as Varnish did; 1,000 of them for 200,000."""
    incident = replace(harder_limits.own_cap("haproxy", 1), expected=980)
    return Exhibit(
        folder="session_limit",
        incident=replace(incident, options=("--max-connections", "1000")),
        twin=replace(incident, options=("--max-connections", "8000")),
        load=1500,
    )


def evicting_health_checks():
    """An instance whose threads are all taken fails its health check, and its clients go to the others."""
    incident = as_shipped(limits.tasks, "threads", tasks=200, expected=196)
    return Exhibit(
        folder="evicting_health_checks",
        incident=incident,
        twin=replace(incident, tasks=2000),
        load=300,
        fleet="fleet",
        instances=3,
    )


def storm_to_memory():
    """A client that comes back costs half a megabyte for two seconds, and next to nothing afterwards."""
    memory = 512 * limits.MIB
    arrival_bytes = 500_000
    incident = Case(
        server="synthetic",
        limit="memory",
        binding="memory",
        expected=(memory - 17 * limits.MIB) // arrival_bytes,
        options=("--arrival-bytes", str(arrival_bytes)),
        memory_bytes=memory,
        breaking="burst",
    )
    return Exhibit(
        folder="storm_to_memory",
        incident=incident,
        twin=replace(incident, memory_bytes=4096 * limits.MIB),
        load=1500,
    )


def stalled_source():
    """Events wait for a source that is stalled, and queue up for each connection."""
    incident = Case(
        server="synthetic",
        limit="memory",
        binding="memory",
        expected=400,
        options=("--stalled-bytes-per-s", "20000"),
        memory_bytes=512 * limits.MIB,
        breaking="last",
    )
    return Exhibit(
        folder="stalled_source",
        incident=incident,
        twin=replace(incident, options=()),
        load=400,
        holds_s=150,
        abstains_with=("memory", "rose", "constant"),
    )


def provider_in_front():
    incident = replace(
        harder_limits.own_cap("behind a provider", 1),
        expected=1000,
        options=("--max-connections", "1000"),
    )
    return Exhibit(
        folder="provider_in_front",
        incident=incident,
        twin=replace(incident, server="synthetic", options=()),
        load=1500,
        abstains_with=("whose limits are not seen",),
    )


ROOMS = (
    descriptors,
    source_ports,
    tracked,
    router_connections,
    lost_in_a_deploy,
    thread_a_peer,
    reconnect_storm,
    session_limit,
    evicting_health_checks,
    storm_to_memory,
    stalled_source,
    provider_in_front,
)


def exhibits():
    """Return the exhibits in the order of the museum."""
    return [room() for room in ROOMS]
