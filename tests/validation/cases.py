"""The cases: every limit, on every server where it can be planted."""

from limits import (
    SEEDS,
    SERVERS,
    accept_queue,
    application_cap,
    connect_rate,
    connection_tracking,
    cpu_quota,
    descriptors,
    egress,
    handshakes,
    memory,
    near_tie,
    one_loop,
    outgoing_ports,
    prefork,
    slow_readers,
    tasks,
    unseen_mix,
)


def all_cases():
    """Return the cases, the first ones with every class of limit and every server."""
    first = [
        descriptors("aiohttp", 0.25, 1),
        tasks("threads", 0.25, 1),
        application_cap("websockets", 0.25, 1, declared=True),
        memory("aiohttp", 0.25, 1),
        cpu_quota("synthetic", 0.25, 1, quota=0.25),
        one_loop("websockets", 0.25, 1),
        one_loop("aiohttp", 0.25, 1, slo_ms=150.0),
        memory("websockets", 0.25, 1, bursty=True),
        near_tie("uvicorn", 0.25, 1),
        memory("synthetic", 0.25, 1, leaking=True),
        application_cap("uvicorn", 0.25, 1, declared=False),
        memory("websockets", 0.25, 1, deflate=True),
        cpu_quota("aiohttp", 0.5, 1, quota=0.5),
        one_loop("synthetic", 0.5, 1, slo_ms=150.0),
        memory("threads", 0.5, 1),
        descriptors("uvicorn", 0.5, 1),
        egress("synthetic", 0.25, 1),
        prefork(0.25, 1),
        outgoing_ports("nginx proxy", 0.25, 1),
        outgoing_ports("haproxy", 0.25, 1),
        connection_tracking("synthetic", 0.25, 1),
        connection_tracking("nginx proxy", 0.25, 1),
        unseen_mix("synthetic", 0.25, 1),
        accept_queue("aiohttp", 0.25, 1),
        connect_rate("synthetic", 0.25, 1),
        handshakes("synthetic", 0.25, 1),
        handshakes("websockets", 0.25, 1, tls=True),
        descriptors("nginx", 0.25, 1),
        application_cap("haproxy", 0.25, 1, declared=True),
        application_cap("nginx", 0.25, 1, declared=True),
        slow_readers("aiohttp", 0.25, 1),
        slow_readers("websockets", 0.25, 1),
    ]
    more = []
    for seed in SEEDS:
        for fraction in (0.25, 0.5):
            more += [descriptors(server, fraction, seed) for server in (*SERVERS, "nginx")]
            more += [
                outgoing_ports(server, fraction, seed) for server in ("nginx proxy", "haproxy")
            ]
            more += [
                connection_tracking(server, fraction, seed)
                for server in ("synthetic", "nginx proxy")
            ]
            more += [tasks("threads", fraction, seed)]
            more += [
                application_cap(server, fraction, seed, declared=True)
                for server in ("websockets", "aiohttp", "nginx", "haproxy")
            ]
            more += [
                memory(server, fraction, seed, deflate=True) for server in ("websockets", "aiohttp")
            ]
            more += [memory(server, fraction, seed) for server in SERVERS]
            more += [
                memory(server, fraction, seed, bursty=True) for server in ("aiohttp", "websockets")
            ]
            more += [
                memory(server, fraction, seed, leaking=True) for server in ("synthetic", "aiohttp")
            ]
            quota = {1: 0.25, 2: 0.5, 3: 0.1}[seed]
            more += [
                cpu_quota(server, fraction, seed, quota=quota)
                for server in ("synthetic", "aiohttp", "uvicorn")
            ]
            more += [unseen_mix(server, fraction, seed) for server in ("synthetic", "aiohttp")]
            more += [one_loop(server, fraction, seed) for server in ("websockets", "synthetic")]
            more += [
                one_loop(server, fraction, seed, slo_ms=150.0)
                for server in ("aiohttp", "synthetic")
            ]
            more += [egress(server, fraction, seed) for server in ("synthetic", "aiohttp")]
            more += [prefork(fraction, seed)]
            more += [accept_queue(server, fraction, seed) for server in ("aiohttp", "uvicorn")]
            more += [connect_rate(server, fraction, seed) for server in ("synthetic", "aiohttp")]
            more += [handshakes(server, fraction, seed) for server in ("synthetic", "aiohttp")]
            more += [
                handshakes(server, fraction, seed, tls=True) for server in ("websockets", "aiohttp")
            ]
            more += [near_tie(server, fraction, seed) for server in ("uvicorn", "aiohttp")]
    by_name = {}
    for case in (*first, *more):
        by_name.setdefault(case.name, case)
    return list(by_name.values())


LEFT_OUT = {
    "slow readers against queue caps": "the generator has no clients that read slowly",
}
"""Limits that the issue of a planner names and the set does not plant, and why."""
