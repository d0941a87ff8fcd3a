"""One function a limit: the case that plants it, sized by what a connection takes of the server."""

from case import Case

MIB = 1 << 20


SEEDS = {1: 1.0, 2: 1.37, 3: 0.71}
"""Each plants another size."""


def descriptors(server, fraction, seed):
    limit = round(1200 * SEEDS[seed])
    return Case(
        server=server,
        limit="descriptors",
        binding="descriptors",
        expected=limit - 12,
        fraction=fraction,
        seed=seed,
        descriptors=limit,
    )


def tasks(server, fraction, seed):
    limit = round(900 * SEEDS[seed])
    return Case(
        server=server,
        limit="tasks",
        binding="threads",
        expected=limit - 2,
        fraction=fraction,
        seed=seed,
        tasks=limit,
    )


def application_cap(server, fraction, seed, *, declared):
    cap = round(800 * SEEDS[seed])
    limits = {"application_connections": {"value": cap, "source": "its own configuration"}}
    return Case(
        server=server,
        limit="application cap" if declared else "hidden cap",
        binding="application_connections",
        expected=cap,
        fraction=fraction,
        seed=seed,
        options=("--max-connections", str(cap)),
        declared=limits if declared else {},
    )


def outgoing_ports(server, fraction, seed):
    """A proxy takes a port for each of its clients."""
    ports = round(900 * SEEDS[seed])
    return Case(
        server=server,
        limit="outgoing ports",
        binding="outgoing_ports",
        expected=ports,
        fraction=fraction,
        seed=seed,
        ports=ports,
    )


def connection_tracking(server, fraction, seed):
    """A proxied connection is tracked twice."""
    entries = round(1600 * SEEDS[seed])
    return Case(
        server=server,
        limit="connection tracking",
        binding="conntrack",
        expected=entries // (2 if server == "nginx proxy" else 1),
        fraction=fraction,
        seed=seed,
        tracked=entries,
    )


def near_tie(server, fraction, seed):
    """The cap of the application is 8 % below the descriptors."""
    limit = round(1000 * SEEDS[seed])
    cap = round(0.92 * limit)
    return Case(
        server=server,
        limit="near tie",
        binding="application_connections",
        expected=cap,
        fraction=fraction,
        seed=seed,
        options=("--max-connections", str(cap)),
        descriptors=limit,
        declared={"application_connections": {"value": cap, "source": "its own configuration"}},
    )


BASE_MIB = {"aiohttp": 26, "websockets": 15, "uvicorn": 25, "threads": 13, "synthetic": 17}
EACH_BYTES = {
    "aiohttp": 14_000,
    "websockets": 15_500,
    "uvicorn": 16_500,
    "threads": 55_000,
    "synthetic": 1_500,
}
"""Of a connection, beside its planted state."""
DEFLATE_BYTES = {"websockets": 39_000, "aiohttp": 97_000}


def memory(server, fraction, seed, *, bursty=False, leaking=False, deflate=False):
    state = round(60_000 * SEEDS[seed])
    burst = 15_000 if bursty else 0
    each = EACH_BYTES[server] + state + burst + (20_000 if leaking else 0)
    each += DEFLATE_BYTES[server] if deflate else 0
    expected = 1000
    options = ["--state-bytes", str(state)]
    if bursty:
        options += ["--burst-bytes", str(burst)]
    if leaking:
        options += ["--leak-bytes", "20000"]
    if deflate:
        options += ["--deflate"]
    return Case(
        server=server,
        limit="bursty " * bursty + "leaking " * leaking + "memory" + " with deflate" * deflate,
        binding="memory",
        expected=expected,
        fraction=fraction,
        seed=seed,
        options=tuple(options),
        memory_bytes=BASE_MIB[server] * MIB + each * expected,
        # What a compressor touches grows with the updates, what is burst comes every three seconds.
        hold_s=3.5 if bursty or deflate else 0.0,
    )


def slow_readers(server, fraction, seed):
    """A quarter of the clients leaves its queue full, up to the server's cap on it."""
    state, queue = round(60_000 * SEEDS[seed]), round(200_000 * SEEDS[seed])
    expected, ratio = 400, 0.25
    options = ("--state-bytes", state, "--queue-bytes", queue, "--payload-bytes", 5000)
    each = EACH_BYTES[server] + state + round(ratio * queue)
    return Case(
        server=server,
        limit="slow readers",
        binding="memory",
        expected=expected,
        fraction=fraction,
        seed=seed,
        options=tuple(map(str, options)),
        memory_bytes=BASE_MIB[server] * MIB + each * expected,
        updates_per_s=10.0,
        slow_readers_ratio=ratio,
        # Longer than a queue takes to fill up.
        settle_s=6.0,
        hold_s=6.0,
    )


def cpu_quota(server, fraction, seed, *, quota=0.0):
    """An update takes a planted time, so that the quota is used up at the expected count."""
    quota = quota or {1: 0.25, 2: 0.5, 3: 0.1}[seed]
    message_us = 250.0
    own_us = {"aiohttp": 40, "websockets": 40, "uvicorn": 130, "threads": 90, "synthetic": 12}
    expected = round(quota * 1e6 / (2.0 * (message_us + own_us[server])))
    return Case(
        server=server,
        limit="CPU quota",
        binding="cpu",
        expected=expected,
        fraction=fraction,
        seed=seed,
        options=("--message-us", str(message_us)),
        cpu_ratio=quota,
        breaking="search",
        hold_s=2.0,
    )


def unseen_mix(server, fraction, seed):
    """Tested with two updates a second and with none, asked about one in two seconds."""
    quota, rate_per_s = 0.2, 0.5
    message_us, own_us = 250.0 * SEEDS[seed], {"synthetic": 12, "aiohttp": 40}[server]
    tested = quota * 1e6 / (2.0 * (message_us + own_us))
    return Case(
        server=server,
        limit="unseen mix",
        binding="cpu",
        # The load goes up to the fraction of what is held in the mix that is tested.
        expected=round(tested),
        fraction=fraction,
        seed=seed,
        options=("--message-us", str(message_us)),
        cpu_ratio=quota,
        breaking="search",
        hold_s=6.0,
        other_rate_per_s=rate_per_s,
    )


def one_loop(server, fraction, seed, *, slo_ms=0.0):
    message_us = 400.0 * SEEDS[seed]
    return Case(
        server=server,
        limit="loop at its SLO" if slo_ms else "one loop",
        binding="delivery_delay" if slo_ms else "event_loop",
        # A round of updates takes as long as its last one waits.
        expected=round((slo_ms / 0.95 * 1e3 if slo_ms else 0.5e6) / (message_us + 30)),
        fraction=fraction,
        seed=seed,
        options=("--message-us", str(message_us)),
        slo_ms=slo_ms,
        breaking="search",
        hold_s=2.0,
    )


def egress(server, fraction, seed):
    """An update of 1,000 bytes is some 1,170 on the wire."""
    expected = 400
    return Case(
        server=server,
        limit="egress bandwidth",
        binding="network_out",
        expected=expected,
        fraction=fraction,
        seed=seed,
        options=("--payload-bytes", str(round(1000 * SEEDS[seed]))),
        egress_bytes_per_s=round(2.0 * expected * (1000 * SEEDS[seed] + 170)),
        breaking="search",
        hold_s=2.0,
    )


def accept_queue(server, fraction, seed):
    """While the server stalls, its accept queue takes what the backlog says and one more."""
    return Case(
        server=server,
        limit="accept queue",
        binding="accept_queue",
        expected=round(200 * SEEDS[seed]),
        fraction=fraction,
        seed=seed,
        options=("--backlog", str(round(200 * SEEDS[seed])), "--handshake-us", "1000"),
        breaking="stall",
    )


def handshakes(server, fraction, seed, *, tls=False):
    """Everybody comes at once, and a handshake takes the processor's time."""
    handshake_us = 2500.0 * SEEDS[seed]
    own_us = {"synthetic": 300, "aiohttp": 900, "websockets": 900}[server] + (2500 if tls else 0)
    return Case(
        server=server,
        limit="TLS handshake CPU" if tls else "handshake CPU",
        binding="cpu",
        expected=round(0.25e6 / (own_us if tls else handshake_us + own_us)),
        fraction=fraction,
        seed=seed,
        options=() if tls else ("--handshake-us", str(handshake_us)),
        # So that it is the arrivals that take the time.
        updates_per_s=0.2,
        cpu_ratio=0.25,
        tls=tls,
        breaking="storm",
        hold_s=4.0,
    )


def connect_rate(server, fraction, seed):
    """A bucket admits so many connections a second, and the target file says so."""
    rate_per_s = round(80 * SEEDS[seed])
    return Case(
        server=server,
        limit="connect rate",
        binding="arrival_limit",
        expected=rate_per_s,
        fraction=fraction,
        seed=seed,
        options=("--connects-per-s", str(rate_per_s), "--handshake-us", "1000"),
        admitted_per_s=rate_per_s,
        breaking="storm",
        hold_s=5.0,
    )


def prefork(server, fraction, seed):
    """The kernel spreads connections unevenly: the fuller worker is full first."""
    limit = round(600 * SEEDS[seed])
    return Case(
        server=server,
        limit="prefork descriptors",
        binding="descriptors",
        expected=round(1.9 * limit),
        fraction=fraction,
        seed=seed,
        options=("--workers", "2"),
        descriptors=limit,
    )
