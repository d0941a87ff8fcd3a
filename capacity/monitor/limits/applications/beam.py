"""Programs on Erlang's BEAM (RabbitMQ, EMQX, ejabberd, VerneMQ, Phoenix): its ports and processes.

erl(1): a TCP connection is a port of the machine, of which there are +Q, 65,536 by default, and at
least one process, of which there are +P (262,144 before OTP 27 and 1,048,576 from then on). Both are
rounded up to a power of 2. Some ten ports are the machine's own: listeners, pipes, the way to other
nodes (asked of RabbitMQ 3.10, and ejabberd 23.01 filled). ERL_MAX_PORTS is the older way to say the first; of other variables erl
makes words of the command line.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.limits.applications.emqx import emqx_entries
from capacity.monitor.limits.applications.entries import cap, told
from capacity.monitor.limits.applications.process import Process, options
from capacity.monitor.limits.applications.rabbitmq import rabbitmq_entries
from capacity.monitor.limits.applications.settings import Setting

NAMES = frozenset({"beam.smp", "beam"})
_DEFAULT_PORTS = 65_536
OF_ITS_OWN = 10
_SERVERS = {"rabbit": rabbitmq_entries, "emqx": emqx_entries}


def entries(process: Process) -> Iterator[AuditEntry]:
    ports = _flag(process, "Q") or process.variable("ERL_MAX_PORTS")
    if ports is None:
        where = f"{process.command_line} (the default, as none is set)"
        ports = Setting("+Q", str(_DEFAULT_PORTS), where)
    yield cap(
        "ports of the Erlang machine",
        max(0, _power(ports.number()) - OF_ITS_OWN),
        f"{ports.source}, one for each client, less some {OF_ITS_OWN} of its own",
    )
    processes = _flag(process, "P")
    if processes is not None:
        yield told(
            "processes of the Erlang machine",
            _power(processes.number()),
            processes.source,
            unit="processes",
            scales_with=Scaling.CONNECTIONS,
        )
    for word, read in _SERVERS.items():
        if any(word in each for each in process.words):
            yield from read(process)


def _flag(process: Process, letter: str) -> Setting | None:
    """Return a flag of the emulator: +Q 1024, which erl hands on as -Q 1024, up to the first --."""
    words = process.words[1:]
    own = words[: words.index("--")] if "--" in words else words
    found = None
    for name, text in options(own, (f"+{letter}", f"-{letter}")):
        found = Setting(f"+{name[1:]}", text, process.command_line)
    return found


def _power(value: int) -> int:
    return 1 << max(0, value - 1).bit_length()
