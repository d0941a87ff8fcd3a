"""The agent as a program: arguments in, a served sampler out, until it is told to stop."""

import argparse
import ipaddress
import os
import signal
import socket
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path

from capacity.domain.errors import CapacityError, ConfigError, PreflightError, UnreachableError
from capacity.monitor.audit_table import audit_table
from capacity.monitor.collectors.registry import host_collectors, target_collectors
from capacity.monitor.discovery import Selector
from capacity.monitor.limits.audit import audit
from capacity.monitor.listeners import TargetListeners
from capacity.monitor.sampler import Sampler, sample_on_beat
from capacity.monitor.server import AgentServer
from capacity.monitor.store import SampleRing, agent_info, as_json
from capacity.monitor.target import Target


def main(argv: list[str] | None = None) -> int:
    """Watch a target until SIGINT or SIGTERM; the exit code says why it did not, or what ended it."""
    options = parser().parse_args(argv)
    try:
        return _run(options)
    except CapacityError as error:
        print(f"capacity agent: {error}", file=sys.stderr)  # noqa: T201 - the program's voice
        return error.exit_code


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="capacity agent",
        description="Sample a target's resources and limits, and serve them over HTTP, read-only.",
    )
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--pid", type=_positive, metavar="N", help="the target's first process")
    target.add_argument("--port", type=_port, metavar="N", help="who listens on this TCP port")
    target.add_argument("--name", metavar="TEXT", help="who is called so, exactly")
    parser.add_argument(
        "--bind", default="127.0.0.1", metavar="ADDRESS", help="address to serve on (%(default)s)"
    )
    parser.add_argument(
        "--listen",
        type=_listen_port,
        default=9101,
        metavar="PORT",
        help="port to serve on, 0 for any free one (%(default)s)",
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="ask for the bearer token in this file; needed beyond loopback",
    )
    parser.add_argument(
        "--interval",
        type=_interval_s,
        default=1.0,
        metavar="SECONDS",
        help="time between two samples (%(default)s)",
    )
    parser.add_argument(
        "--keep",
        type=_positive,
        default=3600,
        metavar="SAMPLES",
        help="samples to keep for those who fetch late (%(default)s)",
    )
    parser.add_argument(
        "--audit", action="store_true", help="print every limit that caps the target, and end"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="with --audit: the answer of /v1/info instead of a table",
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _listen_port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")
    return int(text)


def _port(text: str) -> int:
    if (port := _listen_port(text)) == 0:
        raise argparse.ArgumentTypeError("0 is not a port that anybody listens on")
    return port


def _interval_s(text: str) -> float:
    try:
        interval_s = float(text)
    except ValueError:
        interval_s = 0.0
    if not 0.1 <= interval_s <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0.1 to 3600")
    return interval_s


def _run(options: argparse.Namespace) -> int:
    if sys.platform != "linux":
        raise PreflightError("the agent reads /proc: run it on the target's Linux host")
    if options.json and not options.audit:
        raise ConfigError("--json goes with --audit; samples are served as JSON anyway")
    if options.audit:
        print(_audited(options), end="")  # noqa: T201 - what was asked for
        return 0
    token = None if options.token_file is None else read_token(options.token_file)
    address = bind_address(options.bind)
    if token is None and not ipaddress.ip_address(address).is_loopback:
        raise ConfigError(
            f"--bind {options.bind} is reachable from other hosts: add --token-file FILE, "
            "or bind 127.0.0.1 and come through a tunnel"
        )
    ring = SampleRing(options.keep)
    with closing(TargetListeners()) as listeners:
        sampler = _sampler(options, listeners)
        with open_server((address, options.listen), sampler, ring, token) as server:
            sampler.prime()
            return _serve(server, sampler, ring, options.interval)


def _sampler(options: argparse.Namespace, listeners: TargetListeners) -> Sampler:
    """Return a sampler of the target that *options* name; UnreachableError when it is not there."""
    target = Target(Selector(pid=options.pid, port=options.port, name=options.name))
    target.resolve()
    return Sampler(
        target,
        target_collectors(listeners),
        host_collectors(),
        lambda view: audit(view, listeners.latest),
    )


def _audited(options: argparse.Namespace) -> str:
    with closing(TargetListeners()) as listeners:
        sampler = _sampler(options, listeners)
        sample = sampler.sample()
    if sample.target_started_at is None:
        raise UnreachableError("the target ended while its limits were read")
    info = agent_info(sampler)
    return f"{as_json(info)}\n" if options.json else audit_table(info, sample)


def _serve(server: AgentServer, sampler: Sampler, ring: SampleRing, interval_s: float) -> int:
    stop = threading.Event()
    received: list[int] = []

    def end(number: int, _frame: object) -> None:
        received.append(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    serving = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    serving.start()
    host, port = server.host_and_port
    shown = f"[{host}]" if ":" in host else host
    print(f"agent ready on http://{shown}:{port}", file=sys.stderr, flush=True)  # noqa: T201 - what a starter waits for
    sample_on_beat(sampler, interval_s, ring.add, stop)
    server.shutdown()
    return 128 + received[0]


def open_server(
    address: tuple[str, int], sampler: Sampler, ring: SampleRing, token: str | None
) -> AgentServer:
    """Return a bound server; PreflightError when the address cannot be had."""
    try:
        return AgentServer(address, sampler, ring, token)
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


def read_token(path: Path) -> str:
    """Return the token in *path*; ConfigError unless it is there, secret and fit for a header."""
    try:
        mode = path.stat().st_mode
        token = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ConfigError(f"--token-file {path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"--token-file {path}: a token is printable ASCII") from error
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise ConfigError(f"--token-file {path}: others may read or write it; chmod o= {path}")
    if not token:
        raise ConfigError(f"--token-file {path}: is empty; put a long random word in it")
    if not token.isprintable() or " " in token:
        raise ConfigError(f"--token-file {path}: a token is one word of printable ASCII")
    return token
