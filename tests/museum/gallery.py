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
        title="Clever Cloud, 7 March 2021: the proxies' open files",
        source="https://www.clever-cloud.com/blog/company/2021/03/10/postmortem-sunday-2021-03-07/",
        incident=incident,
        twin=replace(incident, descriptors=16_384),
        load=800,
    )


def source_ports():
    incident = as_shipped(limits.outgoing_ports, "nginx proxy", ports=1000, expected=980)
    return Exhibit(
        folder="source_ports",
        title="Archive of Our Own, September 2024: sockets between proxy and application",
        source="",
        incident=incident,
        twin=replace(incident, ports=0),
        load=1500,
    )


def tracked():
    incident = as_shipped(
        limits.connection_tracking, "nginx proxy", tracked=4096, expected=2000, hold_s=0.0
    )
    return Exhibit(
        folder="connection_tracking",
        title="pxy.fi, 16 August 2025: a connection-tracking table of 4,096 entries",
        source="https://status.pxy.fi/incident/721245",
        incident=incident,
        twin=replace(incident, tracked=65_536),
        load=3000,
    )


def router_connections():
    incident = replace(harder_limits.own_cap("nginx proxy", 1), expected=510)
    return Exhibit(
        folder="router_connections",
        title="Coinbase, 19 May 2021: connections of the nginx routers",
        source="",
        incident=replace(incident, options=("--max-connections", "1024")),
        twin=replace(incident, options=("--max-connections", "16384")),
        load=800,
    )


def lost_in_a_deploy():
    incident = replace(harder_limits.own_cap("nginx", 1), expected=760, updates_per_s=2.0)
    return Exhibit(
        folder="lost_in_a_deploy",
        title="Wikimedia, 23 August 2016: 768 worker_connections after a deploy",
        source="",
        incident=replace(incident, options=("--max-connections", "768")),
        twin=replace(incident, options=("--max-connections", "16384")),
        load=1200,
    )


def thread_a_peer():
    incident = as_shipped(limits.tasks, "threads", tasks=1000, expected=998)
    return Exhibit(
        folder="thread_a_peer",
        title="AWS Kinesis, 25 November 2020: a thread for each peer",
        source="https://aws.amazon.com/message/11201/",
        incident=incident,
        twin=replace(incident, tasks=8000),
        load=1500,
    )


def reconnect_storm():
    incident = as_shipped(limits.handshakes, "synthetic")
    return Exhibit(
        folder="reconnect_storm",
        title="Zed, 2025: everybody reconnects at once",
        source="https://github.com/zed-industries/zed/pull/32418",
        incident=incident,
        twin=replace(incident, cpu_ratio=0.0, options=()),
        load=150,
    )


ROOMS = (
    descriptors,
    source_ports,
    tracked,
    router_connections,
    lost_in_a_deploy,
    thread_a_peer,
    reconnect_storm,
)


def exhibits():
    """Return the exhibits in the order of the museum."""
    return [room() for room in ROOMS]


__all__ = ["Case", "exhibits"]
