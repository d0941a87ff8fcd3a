"""Servers that have no cap of their own on connections: Caddy, Daphne, and Traefik without middleware.

Traefik's InFlightConn is in files of its own, which are YAML or TOML and not looked at.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import told
from capacity.monitor.limits.applications.process import Process

NAMES = frozenset({"caddy", "daphne", "traefik"})


def entries(process: Process) -> Iterator[AuditEntry]:
    name = next(name for name in process.names if name in NAMES)
    why = "InFlightConn is not looked for" if name == "traefik" else f"{name} has none"
    yield told("connections", None, f"{process.command_line}: {why}")
