"""uvicorn and hypercorn: no cap on WebSocket connections.

uvicorn's --limit-concurrency answers plain requests with 503 from so many connections on, WebSockets
among them; upgrades are let in all the same (its protocols/http, where the upgrade comes first).
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.limits.applications.entries import told
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting

NAMES = frozenset({"uvicorn", "hypercorn"})


def entries(process: Process) -> Iterator[AuditEntry]:
    if "hypercorn" in process.names:
        yield told("connections", None, f"{process.command_line}: hypercorn has no cap of its own")
        return
    setting = process.option("--limit-concurrency") or process.variable("UVICORN_LIMIT_CONCURRENCY")
    if setting is None:
        yield told("--limit-concurrency", None, f"{process.command_line}: none given")
        return
    workers = workers_of(process)
    yield told(
        "--limit-concurrency: connections before plain requests are refused",
        max(0, setting.number() - 1) * workers,
        f"{setting.source} ({workers} of it; WebSockets are let in beyond)",
        scales_with=Scaling.CONNECTIONS,
    )


def workers_of(process: Process) -> int:
    """Return how many workers share the connections: --workers, else WEB_CONCURRENCY, else 1."""
    setting: Setting | None = process.option("--workers", "-w")
    setting = setting or process.variable("WEB_CONCURRENCY")
    return max(1, setting.number()) if setting is not None else 1
