"""Servers that have no cap of their own on connections: Daphne."""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import told
from capacity.monitor.limits.applications.process import Process

NAMES = frozenset({"daphne"})


def entries(process: Process) -> Iterator[AuditEntry]:
    name = next(name for name in process.names if name in NAMES)
    yield told("connections", None, f"{process.command_line}: {name} has none")
