"""Granian: --backpressure, plain requests that a worker serves at once; WebSockets are let in beyond.

Granian's command line and its GRANIAN_ variables; by default it is the worker's part of --backlog,
which is 1024. Found by filling version 2.8: an upgraded connection no longer counts.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.limits.applications.entries import told
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting

NAMES = frozenset({"granian"})
_DEFAULT_BACKLOG = 1024


def entries(process: Process) -> Iterator[AuditEntry]:
    workers = max(1, _setting(process, "workers", 1).number())
    setting = process.option("--backpressure") or process.variable("GRANIAN_BACKPRESSURE")
    if setting is not None:
        most, source = setting.number() * workers, setting.source
    else:
        backlog = _setting(process, "backlog", _DEFAULT_BACKLOG)
        most, source = max(1, backlog.number() // workers) * workers, backlog.source
    yield told(
        "--backpressure: plain requests at once",
        most,
        f"{source} ({workers} of its workers; WebSockets are let in beyond)",
        scales_with=Scaling.CONNECTIONS,
    )


def _setting(process: Process, name: str, default: int) -> Setting:
    return (
        process.option(f"--{name}")
        or process.variable(f"GRANIAN_{name.upper()}")
        or Setting(f"--{name}", str(default), f"{process.command_line} (the default)")
    )
