"""The agent as a program: arguments in, a served sampler out, until it is told to stop."""

import argparse
import ipaddress
import os
import signal
import socket
import ssl
import sys
import threading
from contextlib import ExitStack, closing

from capacity.domain.errors import CapacityError, ConfigError, PreflightError, UnreachableError
from capacity.domain.sample import AgentInfo
from capacity.monitor.arguments import parser, selector, spool_bytes
from capacity.monitor.audit_table import audit_table
from capacity.monitor.collectors.registry import host_collectors, target_collectors
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.target import Target
from capacity.monitor.limits.applications.applications import Applications
from capacity.monitor.limits.audit import audit
from capacity.monitor.notes import Notes
from capacity.monitor.sampler import Sampler
from capacity.monitor.sampling_interval import SamplingInterval, sample_at_intervals
from capacity.monitor.serving.credentials import client_context, read_token, server_context
from capacity.monitor.serving.push import Pusher, push_url
from capacity.monitor.serving.ring_consumer import RingConsumer
from capacity.monitor.serving.server import AgentServer
from capacity.monitor.serving.spool import Spool
from capacity.monitor.serving.store import SampleRing, agent_info, as_json

_LAST_WORDS_S = 1.0
"""Time for what is not pushed or spooled yet when the agent is told to stop."""


def main(argv: list[str] | None = None) -> int:
    """Watch a target until SIGINT or SIGTERM; the exit code says why it did not, or what ended it."""
    options = parser().parse_args(argv)
    try:
        return _run(options)
    except CapacityError as error:
        print(f"capacity agent: {error}", file=sys.stderr)  # noqa: T201 - the program's voice
        return error.exit_code
    except KeyboardInterrupt:  # Before it serves, or while it reads what --audit shows.
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of our output left (`capacity agent --audit … | head`): nothing to tell anybody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _run(options: argparse.Namespace) -> int:
    if sys.platform != "linux":
        raise PreflightError("the agent reads /proc: run it on the target's Linux host")
    if options.json and not options.audit:
        raise ConfigError("--json goes with --audit; samples are served as JSON anyway")
    with closing(TargetListeners()) as listeners:
        if options.audit:
            print(_audited(options, listeners), end="", flush=True)  # noqa: T201 - what was asked for
            return 0
        return _watch(options, listeners)


def _audited(options: argparse.Namespace, listeners: TargetListeners) -> str:
    sampler = _sampler(options, listeners)
    sample = sampler.sample()
    if sample.target_started_at is None:
        raise UnreachableError("the target ended while its limits were read")
    info = agent_info(sampler)
    return f"{as_json(info)}\n" if options.json else audit_table(info, sample)


def _sampler(options: argparse.Namespace, listeners: TargetListeners) -> Sampler:
    """Return a sampler of the target that *options* name; UnreachableError when it is not there."""
    target = Target(selector(options))
    target.resolve()
    applications = Applications()
    return Sampler(
        target,
        target_collectors(listeners, applications),
        host_collectors(),
        lambda view: audit(view, listeners.latest, applications.entries),
        lambda: listeners.ports,
    )


def _watch(options: argparse.Namespace, listeners: TargetListeners) -> int:
    """Check all that was asked for before anything begins, then sample until told to stop."""
    token = None if options.token_file is None else read_token(options.token_file)
    address = bind_address(options.bind)
    if token is None and not ipaddress.ip_address(address).is_loopback:
        raise ConfigError(
            f"--bind {options.bind} is reachable from other hosts: add --token-file FILE, "
            "or bind 127.0.0.1 and use a tunnel"
        )
    tls = server_context(options.certificate, options.key)
    if tls is None and not (options.allow_plain_http or ipaddress.ip_address(address).is_loopback):
        raise ConfigError(
            f"--bind {options.bind} would send the token in the clear: add --certificate and --key, or "
            "--allow-plain-http where the network itself encrypts"
        )
    ring, notes = SampleRing(options.keep), Notes()
    sampler = _sampler(options, listeners)

    consumers = _consumers(options, sampler, ring, notes, token)
    with ExitStack() as stack:
        server = stack.enter_context(
            open_server((address, options.listen), sampler, ring, token=token, tls=tls, notes=notes)
        )
        sampler.prime()
        for consumer in consumers:
            consumer.start()
            stack.callback(consumer.stop, _LAST_WORDS_S)
        return _serve(server, SamplingInterval(options.interval, notes))


def _consumers(
    options: argparse.Namespace,
    sampler: Sampler,
    ring: SampleRing,
    notes: Notes,
    token: str | None,
) -> list[RingConsumer]:
    """Return who takes samples from the ring beside those that fetch them."""

    def info() -> AgentInfo:
        return agent_info(sampler, notes.sentences)

    consumers: list[RingConsumer] = []
    if options.push is not None:
        url = push_url(options.push, may_be_plain=options.allow_plain_http)
        tls = client_context(options.ca_file) if url.startswith("https:") else None
        consumers.append(Pusher(url, ring, info, notes, token=token, tls=tls))
    elif options.ca_file is not None:
        raise ConfigError("--ca-file goes with --push")
    if options.spool is not None:
        consumers.append(Spool(options.spool, spool_bytes(options), ring, info, notes))
    return consumers


def _serve(server: AgentServer, interval: SamplingInterval) -> int:
    stop = threading.Event()
    received: list[int] = []

    def end(number: int, _frame: object) -> None:
        received.append(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    serving = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    serving.start()
    print(f"agent ready on {server.url}", file=sys.stderr, flush=True)  # noqa: T201 - what a starter waits for
    sample_at_intervals(server.sampler, interval, server.ring.add, stop)
    server.shutdown()
    return 128 + received[0]


def open_server(
    address: tuple[str, int],
    sampler: Sampler,
    ring: SampleRing,
    *,
    token: str | None,
    tls: ssl.SSLContext | None,
    notes: Notes,
) -> AgentServer:
    """Return a bound server; PreflightError when the address cannot be had."""
    try:
        return AgentServer(address, sampler, ring, token=token, tls=tls, notes=notes)
    except OSError as error:
        raise PreflightError(
            f"cannot serve on {address[0]} port {address[1]}: {os.strerror(error.errno or 0)}; "
            "choose another port with --listen (0: any free one) or another --bind"
        ) from error


def bind_address(host: str) -> str:
    """Return *host* as a numeric address; ConfigError when it has none."""
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", None, type=socket.SOCK_STREAM)  # noqa: S104 - refused without a token
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"--bind {host}: not an address of this host") from error
    return str(found[0][4][0]).partition("%")[0]
