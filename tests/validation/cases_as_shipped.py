"""The cases that are examined as shipped, in rounds: the first one has every kind of limit.

A case is server-size. Its limit is planted as in the cases that are told, but no setting of the product
follows from it. Slow readers are left out: the profile as shipped has none.
"""

from dataclasses import replace
from functools import partial

import broker_limits
import harder_limits
import limits

FROM_SET = (
    (limits.descriptors, "aiohttp-1", "threads-3 nginx-1"),
    (limits.tasks, "threads-1", "threads-2"),
    (partial(limits.application_cap, declared=True), "", "websockets-1 haproxy-1"),
    (partial(limits.application_cap, declared=False), "", "uvicorn-1"),
    (limits.near_tie, "", "uvicorn-1 aiohttp-1"),
    (limits.prefork, "", "prefork-1"),
    (limits.outgoing_ports, "", "nginx proxy-1,haproxy-1"),
    (limits.connection_tracking, "", "nginx proxy-1,synthetic-3"),
    (limits.memory, "websockets-1", "uvicorn-2 threads-1 synthetic-2"),
    (partial(limits.memory, bursty=True), "", "websockets-3 aiohttp-2"),
    (partial(limits.memory, leaking=True), "", "synthetic-3 aiohttp-2"),
    (partial(limits.memory, deflate=True), "", "websockets-1 aiohttp-1"),
    (limits.cpu_quota, "aiohttp-1", "synthetic-3 uvicorn-2"),
    (limits.one_loop, "", "websockets-1 synthetic-2"),
    (partial(limits.one_loop, slo_ms=150.0), "aiohttp-1", "synthetic-2"),
    (limits.egress, "", "synthetic-1 aiohttp-2"),
    (limits.unseen_mix, "synthetic-1", "aiohttp-1"),
    (limits.accept_queue, "", "aiohttp-1 uvicorn-3"),
    (limits.connect_rate, "", "synthetic-1 aiohttp-3"),
    (limits.handshakes, "synthetic-1", "aiohttp-3"),
    (partial(limits.handshakes, tls=True), "", "websockets-1 aiohttp-3"),
)
"""Limit -> cases of the first round, and of the second."""
HARDER = (
    (harder_limits.descriptors, "", "go-1,node-2,tomcat-3,caddy proxy-1"),
    (harder_limits.heap_cap, "node-1", "tomcat-1 node-3 jetty-1 php-1"),
    (harder_limits.address_space, "", "aiohttp-1 synthetic-2"),
    (harder_limits.few_tasks, "websocketd-1", "threads-1"),
    (harder_limits.full_memory, "go-1", "node-1 tomcat-1 puma-1 cowboy-1"),
    (harder_limits.million_descriptors, "", "aiohttp-1"),
    (harder_limits.doubling_table, "", "websockets-1 go-1"),
    (harder_limits.batches, "synthetic-1", "aiohttp-2"),
    (harder_limits.own_work, "go-1", "node-1 tomcat-3 uvicorn-3"),
    (harder_limits.own_work_at_objective, "node-1", "node-3"),
    (harder_limits.own_cap, "haproxy-1", "nginx proxy-1,lighttpd-1,tomcat-3"),
    (harder_limits.unsaid_cap, "", "threads-1 websockets-1"),
    (harder_limits.starving_cap, "", "websockets-1"),
    (harder_limits.waiting_loop, "", "synthetic-1"),
    (harder_limits.slow_acceptor, "threads-1", "synthetic-2"),
)
BROKERS = (
    (
        broker_limits.descriptors,
        "",
        "mosquitto-1 rabbitmq-stomp-1 rabbitmq-mqtt-3 ejabberd-2 prosody-1",
    ),
    (broker_limits.own_cap, "", "mosquitto-1 rabbitmq-mqtt-3"),
    (broker_limits.machine_ports, "", "ejabberd-1"),
    (broker_limits.full_memory, "", "mosquitto-1 prosody-1 ejabberd-1"),
    (broker_limits.watermark, "", "rabbitmq-stomp-1"),
)
"""Likewise, of servers that operators run."""
POLLED_ENTRIES, POLLED_HOLD_S = 4.4, 12.0
MEMORY_HOLD_S = 8.0
"""What holds a count of connections has held it as long as a level of the profile: 2 s and 6 s.

Collectors and allocators keep more of the same connections then than in the moment they are opened.
"""


def cases_as_shipped():
    """Return the cases, those of the first round before the others."""
    cases = [
        replace(_case(limit, name, is_harder=rows is not FROM_SET), round=number)
        for rows in (FROM_SET, HARDER, BROKERS)
        for limit, *of_rounds in rows
        for number, names in enumerate(of_rounds, start=1)
        for name in names.split("," if "," in names else None)
    ]
    return sorted(cases, key=lambda case: case.round)


def _case(limit, name, *, is_harder):
    server, seed = name.rsplit("-", 1)
    if is_harder:
        return _held(limit(server, int(seed)))
    case = _held(replace(limit(server, 0.25, int(seed)), fraction=0.0))
    if case.tracked and server == "nginx proxy":
        # Its polls are connections to the server behind, which are tracked for two minutes more.
        return replace(case, expected=round(case.tracked / POLLED_ENTRIES), hold_s=POLLED_HOLD_S)
    return case


def _held(case):
    if case.kind in {"memory", "heap"} and case.breaking == "ramp":
        return replace(case, hold_s=max(case.hold_s, MEMORY_HOLD_S))
    return case
