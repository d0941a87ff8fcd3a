"""The agent's options, without a package: what is impossible in one of them is refused here."""

import argparse
import re
from pathlib import Path

from capacity.monitor.host.discovery import Selector

_MEBIBYTE = 1 << 20


_MOST_DIGITS = 9


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="capacity agent",
        description="Sample a target's resources and limits and serve them over HTTP, read-only.",
        epilog="Example: capacity agent --port 8080",
    )
    _add_target(parser)
    _add_serving(parser)
    _add_pushing(parser)
    _add_keeping(parser)
    _add_audit(parser)
    return parser


def _add_target(parser: argparse.ArgumentParser) -> None:
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "--pid", type=_positive, metavar="N", help="target = this process and its children"
    )
    target.add_argument(
        "--port", type=_port, metavar="N", help="target = process listening on this TCP port"
    )
    target.add_argument("--name", metavar="TEXT", help="target = process with exactly this name")
    target.add_argument(
        "--cmdline",
        type=_expression,
        metavar="REGEX",
        help="target = process whose command line matches this regular expression",
    )
    target.add_argument(
        "--pidfile", type=Path, metavar="FILE", help="target = process whose PID is in this file"
    )
    target.add_argument(
        "--unit",
        metavar="NAME",
        help="target = processes of this systemd unit, such as nginx.service",
    )
    target.add_argument(
        "--cgroup", metavar="PATH", help="target = processes of this cgroup and its children"
    )


def _add_serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bind", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (%(default)s)"
    )
    parser.add_argument(
        "--listen",
        type=_listen_port,
        default=9101,
        metavar="PORT",
        help="port to listen on, 0 for any free one (%(default)s)",
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="bearer token to require and to push with; mandatory beyond loopback",
    )
    parser.add_argument(
        "--certificate", type=Path, metavar="FILE", help="serve TLS with this PEM certificate"
    )
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="private key of the certificate, PEM, unencrypted"
    )


def _add_pushing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--push", metavar="URL", help="also POST samples to this URL")
    parser.add_argument(
        "--ca-file",
        type=Path,
        metavar="FILE",
        help="with --push: CA certificates to verify the receiver, instead of the host's",
    )
    parser.add_argument(
        "--allow-plain-http",
        action="store_true",
        help="allow http from or to other hosts, for networks that encrypt by themselves",
    )


def _add_keeping(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--spool", type=Path, metavar="DIR", help="also write samples to files in this directory"
    )
    parser.add_argument(
        "--spool-mebibytes",
        type=_positive,
        default=512,
        metavar="N",
        help="maximum total size of these files (%(default)s)",
    )
    parser.add_argument(
        "--interval",
        type=_interval_s,
        default=1.0,
        metavar="SECONDS",
        help="sampling interval (%(default)s)",
    )
    parser.add_argument(
        "--keep",
        type=_positive,
        default=3600,
        metavar="SAMPLES",
        help="samples to keep in memory for late fetches (%(default)s)",
    )


def _add_audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--audit",
        action="store_true",
        help="print every limit that applies to the target, and exit",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="with --audit: print the /v1/info document instead of a table",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or len(text) > _MOST_DIGITS or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is not a whole number above 0, of {_MOST_DIGITS} digits at most"
        )
    return int(text)


def _listen_port(text: str) -> int:
    if not text.isdecimal() or len(text) > _MOST_DIGITS or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a port, 0 to 65535")
    return int(text)


def _port(text: str) -> int:
    if (port := _listen_port(text)) == 0:
        raise argparse.ArgumentTypeError("0 is not a port that a process can listen on")
    return port


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a regular expression: {error}"
        ) from error
    return text


def _interval_s(text: str) -> float:
    try:
        interval_s = float(text)
    except ValueError:
        interval_s = 0.0
    if not 0.1 <= interval_s <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0.1 to 3600")
    return interval_s


def selector(options: argparse.Namespace) -> Selector:
    """Return how *options* name the target."""
    return Selector(
        pid=options.pid,
        pidfile=options.pidfile,
        port=options.port,
        name=options.name,
        cmdline=options.cmdline,
        unit=options.unit,
        cgroup=options.cgroup,
    )


def spool_bytes(options: argparse.Namespace) -> int:
    return int(options.spool_mebibytes) * _MEBIBYTE
