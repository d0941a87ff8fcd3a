"""Limits of servers that operators run: brokers and chat servers, configured as plausibly.

One function a limit, as in harder_limits.py. Each case is as shipped, and the target file says nothing
but where the server is and what it speaks.
"""

from case import Case
from limits import MIB, SEEDS

OF_ITS_OWN = {"mosquitto": 12, "prosody": 10, "ejabberd": 33}
"""Descriptors that a server has open before anybody connects."""


def descriptors(server, seed):
    """LimitNOFILE: RabbitMQ admits by it fewer sockets than there are descriptors."""
    # Who joins a room of Prosody costs it time for each who is there.
    limit = round((400 if server == "prosody" else 1200) * SEEDS[seed])
    is_rabbit = server.startswith("rabbitmq")
    return Case(
        server=server,
        limit="descriptors",
        binding="application_connections" if is_rabbit else "descriptors",
        expected=int(0.9 * (limit - 97) - 2) - 1 if is_rabbit else limit - OF_ITS_OWN[server],
        seed=seed,
        descriptors=limit,
    )


def own_cap(server, seed):
    """A cap in the server's own configuration, far below its descriptors."""
    cap = round(700 * SEEDS[seed])
    return Case(
        server=server,
        limit="own cap",
        binding="application_connections",
        # Each of RabbitMQ's acceptors but one takes one more.
        expected=cap + 9 if server.startswith("rabbitmq") else cap,
        seed=seed,
        options=("--max-connections", str(cap)),
    )


def machine_ports(server, seed):
    """ERL_MAX_PORTS of ejabberdctl.cfg: sockets that the Erlang machine may have, by powers of 2."""
    ports = {1: 1024, 2: 2048, 3: 512}[seed]
    return Case(
        server=server,
        limit="ports of the machine",
        binding="application_connections",
        expected=round(0.97 * ports),
        seed=seed,
        options=("--ports", str(ports)),
    )


BASE_MIB = {"mosquitto": 18, "prosody": 30, "ejabberd": 110, "rabbitmq-stomp": 150}
EACH_BYTES = {
    "mosquitto": 12_000,
    "prosody": 70_000,
    "ejabberd": 120_000,
    "rabbitmq-stomp": 290_000,
}
"""Of a client, as far as a first look told."""
HOLD_S = {"prosody": 12.0, "ejabberd": 12.0}
"""What a runtime with a collector keeps of an update comes with the updates, not with the connection."""


def full_memory(server, seed):
    """A container's memory, far below a million descriptors."""
    expected = round(800 * SEEDS[seed])
    return Case(
        server=server,
        limit="memory of a container",
        binding="memory",
        expected=expected,
        seed=seed,
        memory_bytes=BASE_MIB[server] * MIB + expected * EACH_BYTES[server],
        hold_s=HOLD_S.get(server, 0.0),
    )


def watermark(server, seed):
    """vm_memory_high_watermark: beyond it RabbitMQ holds publishers back, and updates cease."""
    expected = round(600 * SEEDS[seed])
    mib = BASE_MIB[server] + expected * EACH_BYTES[server] // MIB
    return Case(
        server=server,
        limit="high watermark",
        binding="heap",
        expected=expected,
        seed=seed,
        options=("--watermark-mib", str(mib)),
        hold_s=4.0,
    )
