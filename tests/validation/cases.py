"""The cases: each limit on two servers or more where it applies, from a quarter and from half of it.

A case is server-percent-seed: how much of what is held the safe run may use, and which of three sizes
is planted. The whole set takes three to four hours; the first hour and a half has every limit on each
of its servers, so that a run that is cut says something of all of them.
"""

from functools import partial

from limits import (
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

SET = (
    (
        descriptors,
        (
            "aiohttp-25-1 nginx-25-1 aiohttp-25-2 synthetic-25-2 threads-25-2 uvicorn-25-2"
            " websockets-25-2 aiohttp-50-2 uvicorn-50-2 websockets-50-2 nginx-50-1 threads-25-3"
        ),
    ),
    (tasks, "threads-25-1 threads-25-2 threads-50-1 threads-50-3"),
    (
        partial(application_cap, declared=True),
        "websockets-25-1 haproxy-25-1 nginx-25-1 websockets-50-2 aiohttp-25-3",
    ),
    (partial(application_cap, declared=False), "uvicorn-25-1"),
    (near_tie, "uvicorn-25-1 aiohttp-25-1 uvicorn-50-2 aiohttp-25-3"),
    (prefork, "prefork-25-1 prefork-25-2 prefork-50-3"),
    (outgoing_ports, "nginx proxy-25-1,haproxy-25-1,haproxy-50-2,nginx proxy-25-3"),
    (connection_tracking, "nginx proxy-25-1,synthetic-50-1,nginx proxy-50-2,synthetic-25-3"),
    (
        memory,
        (
            "aiohttp-25-1 websockets-25-1 uvicorn-25-1 threads-25-1 synthetic-25-2 uvicorn-25-2"
            " aiohttp-50-1 websockets-50-1 synthetic-50-2 uvicorn-50-3 aiohttp-25-3 websockets-25-3"
        ),
    ),
    (
        partial(memory, bursty=True),
        "websockets-25-1 aiohttp-25-1 aiohttp-50-2 websockets-25-3",
    ),
    (
        partial(memory, leaking=True),
        "synthetic-25-1 aiohttp-25-1 aiohttp-50-2 synthetic-25-3",
    ),
    (
        partial(memory, deflate=True),
        "websockets-25-1 aiohttp-25-1 websockets-50-1 aiohttp-25-2 websockets-25-3",
    ),
    (slow_readers, "aiohttp-25-1 websockets-25-1 websockets-50-2 aiohttp-25-3"),
    (
        cpu_quota,
        (
            "synthetic-25-1 aiohttp-25-1 uvicorn-25-2 aiohttp-25-2 synthetic-50-1 uvicorn-50-2"
            " aiohttp-25-3 synthetic-25-3 uvicorn-50-3"
        ),
    ),
    (partial(cpu_quota, quota=0.5), "aiohttp-50-1"),
    (
        one_loop,
        (
            "websockets-25-1 synthetic-25-1 websockets-50-1 synthetic-50-2 websockets-25-2"
            " synthetic-25-2 websockets-50-3"
        ),
    ),
    (
        partial(one_loop, slo_ms=150.0),
        (
            "aiohttp-25-1 synthetic-25-1 aiohttp-50-1 synthetic-50-1 aiohttp-25-2 synthetic-25-2"
            " aiohttp-50-2 synthetic-25-3 synthetic-50-3"
        ),
    ),
    (
        egress,
        "synthetic-25-1 aiohttp-25-1 synthetic-50-1 synthetic-25-2 aiohttp-50-2 synthetic-25-3",
    ),
    (unseen_mix, "synthetic-25-1 aiohttp-25-1"),
    (accept_queue, "aiohttp-25-1 uvicorn-25-1 aiohttp-50-2 uvicorn-25-3"),
    (connect_rate, "synthetic-25-1 aiohttp-25-1 synthetic-50-2 aiohttp-25-3"),
    (handshakes, "synthetic-25-1 aiohttp-25-1 synthetic-50-2 aiohttp-25-3"),
    (partial(handshakes, tls=True), "websockets-25-1 aiohttp-25-1 websockets-50-2 aiohttp-25-3"),
)
"""Limit -> its cases. Names of servers with a blank in them are parted by commas."""


def all_cases():
    """Return the cases, those of a quarter with the first size before the others."""
    cases = [
        _case(limit, name)
        for limit, names in SET
        for name in names.split("," if "," in names else None)
    ]
    return sorted(cases, key=lambda case: (case.seed, case.fraction) != (1, 0.25))


def _case(limit, name):
    server, percent, seed = name.rsplit("-", 2)
    return limit(server, int(percent) / 100, int(seed))
