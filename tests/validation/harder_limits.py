"""Limits as servers have them that no planted cost is behind: runtimes, tables, batches, own caps.

One function a limit, as in limits.py. Each case is as shipped: the product is told nothing of it.
"""

from case import Case
from limits import MIB, SEEDS


def descriptors(server, seed):
    """Descriptors of runtimes that are no CPython."""
    limit = round(1200 * SEEDS[seed])
    return Case(
        server=server,
        limit="descriptors",
        binding="descriptors",
        expected=round((limit - 12) / 1.02) // (2 if server == "caddy proxy" else 1),
        seed=seed,
        descriptors=limit,
    )


def heap_cap(server, seed):
    """The runtime ends itself at a cap on its heap that no file of the host shows."""
    heap_mib = {"node": 64, "tomcat": 96, "jetty": 96, "php": 64}[server]
    state = round(60_000 * SEEDS[seed])
    base, each = {
        "node": (8, state + 9_400),
        "tomcat": (12, state + 68_000),
        "jetty": (10, state + 25_000),
        # Arrays grow by doubling, and lie in chunks of which a part is left over.
        "php": (2, state + 18_000),
    }[server]
    return Case(
        server=server,
        limit="heap cap",
        binding="heap",
        expected=round((heap_mib - base) * MIB / each),
        seed=seed,
        options=("--heap-mib", str(heap_mib), "--state-bytes", str(state)),
    )


def address_space(server, seed):
    """RLIMIT_AS, as ulimit -v sets it: what is reserved counts, used or not."""
    state = round(60_000 * SEEDS[seed])
    base, each = {"aiohttp": (45, 15_000), "websockets": (40, 16_000), "synthetic": (26, 2_000)}[
        server
    ]
    expected = 900
    return Case(
        server=server,
        limit="address space",
        binding="memory",
        expected=expected,
        seed=seed,
        options=("--state-bytes", str(state)),
        address_space_bytes=base * MIB + expected * (each + state),
    )


def few_tasks(server, seed):
    """A thread or a process a connection, where few are allowed."""
    tasks = round(160 * SEEDS[seed])
    # websocketd itself is a handful of threads.
    return Case(
        server=server,
        limit="few tasks",
        binding="threads",
        expected=tasks - (9 if server == "websocketd" else 2),
        seed=seed,
        tasks=tasks,
    )


BASE_MIB = {
    "go": 8,
    "node": 42,
    "tomcat": 110,
    "websockets": 15,
    "aiohttp": 26,
    "puma": 20,
    "cowboy": 31,
}
EACH_BYTES = {
    "go": 12_000,
    "node": 2_000,
    "tomcat": 60_000,
    "websockets": 16_000,
    "aiohttp": 14_000,
    "puma": 36_000,
    "cowboy": 75_000,
}


HELD_BY_GO = 0.6
HOLD_S = {"go": 12.0, "puma": 12.0, "cowboy": 6.0}
"""Go collects when its heap has doubled, half a minute after the last time: a count that was reached
faster is held no longer than that. Ruby and BEAM take what they keep with the updates as well."""


def full_memory(server, seed):
    """Memory is full at a fifth of the descriptors."""
    state, expected = round(60_000 * SEEDS[seed]), 1000
    kept = 1.3 * state if server == "go" else state
    is_go = server == "go"
    options = ("--state-bytes", str(state))
    if server == "tomcat":  # By itself the machine would take a quarter of the memory for its heap.
        options += ("--heap-mib", "512")
    return Case(
        server=server,
        limit="memory at a fifth",
        binding="memory",
        expected=round(expected * HELD_BY_GO) if is_go else expected,
        seed=seed,
        options=options,
        descriptors=5 * expected,
        memory_bytes=round(BASE_MIB[server] * MIB + expected * (EACH_BYTES[server] + kept)),
        hold_s=HOLD_S.get(server, 0.0),
    )


def million_descriptors(server, seed):
    """As containers have it: 1,048,576 descriptors, and memory for a thousand connections."""
    state, expected = round(60_000 * SEEDS[seed]), 1000
    return Case(
        server=server,
        limit="memory below a million descriptors",
        binding="memory",
        expected=expected,
        seed=seed,
        options=("--state-bytes", str(state)),
        descriptors=1 << 20,
        memory_bytes=BASE_MIB[server] * MIB + expected * (EACH_BYTES[server] + state),
    )


def doubling_table(server, seed):
    """A table doubles beyond 512 connections, at some two thirds of what is held."""
    state, entry = round(30_000 * SEEDS[seed]), 20_000
    expected = 800
    kept = 1.3 * state if server == "go" else state
    return Case(
        server=server,
        limit="table that doubles",
        binding="memory",
        expected=expected,
        seed=seed,
        options=("--state-bytes", str(state), "--table-bytes", str(entry)),
        memory_bytes=round(
            BASE_MIB[server] * MIB
            # Go keeps the old table until its collector comes by.
            + (1536 if server == "go" else 1024) * entry
            + expected * (EACH_BYTES[server] + kept)
        ),
    )


def batches(server, seed):
    """One burst for all, cheaper for each the more there are."""
    quota, batch_us, power = {1: 0.2, 2: 0.3, 3: 0.15}[seed], 900.0, 0.85
    own_us = {"synthetic": 12, "aiohttp": 40}[server]
    expected = 100
    while 2.0 * (batch_us * expected**power + own_us * expected) < quota * 1e6:
        expected += 1
    return Case(
        server=server,
        limit="CPU quota with batches",
        binding="cpu",
        expected=expected,
        seed=seed,
        options=("--batch-us", str(batch_us), "--batch-power", str(power)),
        cpu_ratio=quota,
        breaking="search",
        hold_s=2.0,
    )


def own_work(server, seed):
    """A quota that the server's own work uses up: each update is put into words for each client."""
    quota = {1: 0.2, 2: 0.3, 3: 0.15}[seed]
    per_s, each_us, options = {
        "go": (5.0, 55, ("--book-levels", "200")),
        "node": (5.0, 55, ("--book-levels", "300")),
        "tomcat": (20.0, 20, ("--payload-bytes", "2000")),
        "uvicorn": (5.0, 130, ()),
    }[server]
    return Case(
        server=server,
        limit="CPU quota without a spin",
        binding="cpu",
        expected=round(quota * 1e6 / (per_s * each_us)),
        seed=seed,
        options=options,
        updates_per_s=per_s,
        cpu_ratio=quota,
        breaking="search",
        hold_s=2.0,
    )


def own_work_at_objective(server, seed):
    """An objective on the delay of one loop, which its own work holds up."""
    levels, slo_ms = round(400 * SEEDS[seed]), 60.0
    return Case(
        server=server,
        limit="own work at its SLO",
        binding="delivery_delay",
        expected=round(slo_ms / 0.95 * 1e3 / (0.35 * levels + 30)),
        seed=seed,
        options=("--book-levels", str(levels)),
        slo_ms=slo_ms,
        breaking="search",
        hold_s=2.0,
    )


def own_cap(server, seed):
    """A cap in the server's own configuration, far below its descriptors; the target file is silent."""
    cap = round(700 * SEEDS[seed])
    sockets = {"nginx proxy": 2, "lighttpd": 1}.get(server, 1)
    return Case(
        server=server,
        limit="own cap",
        binding="application_connections",
        expected=round(cap / sockets / 1.02),
        seed=seed,
        options=("--max-connections", str(cap)),
    )


def unsaid_cap(server, seed):
    """A cap that no answer tells: whoever comes is upgraded and sent away, or waits before the door."""
    cap = round(150 * SEEDS[seed])
    is_closed = server == "threads"
    options = (
        ("--when-full", "stop", "--backlog", "5") if is_closed else ("--when-full", "send-away")
    )
    return Case(
        server=server,
        limit="door that closes" if is_closed else "cap behind the upgrade",
        binding="application_connections",
        expected=cap,
        seed=seed,
        options=("--max-connections", str(cap), *options),
    )


def starving_cap(server, seed):
    """A cap on who is served: whoever comes beyond it is let in and confirmed, and gets no update."""
    cap = round(150 * SEEDS[seed])
    return Case(
        server=server,
        limit="cap that starves",
        binding="unidentified",
        expected=cap,
        seed=seed,
        options=("--max-connections", str(cap), "--when-full", "starve"),
        breaking="search",
        hold_s=2.0,
    )


def waiting_loop(server, seed):
    """A loop that waits for something else before each update: it is full, and uses no processor."""
    wait_us = round(1000 * SEEDS[seed])
    return Case(
        server=server,
        limit="wait for each update",
        binding="unidentified",
        expected=round(1e6 / (2.0 * (wait_us + 100))),
        seed=seed,
        options=("--message-wait-us", str(wait_us)),
        breaking="search",
        hold_s=2.0,
    )


def slow_acceptor(server, seed):
    """Takes so many connections a second out of its queue, and refuses none."""
    rate_per_s = round(60 * SEEDS[seed])
    return Case(
        server=server,
        limit="slow acceptor",
        binding="accept_rate",
        expected=rate_per_s,
        seed=seed,
        options=("--accepts-per-s", str(rate_per_s)),
        breaking="storm",
        hold_s=5.0,
    )
