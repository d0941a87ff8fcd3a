"""websocketd: --maxforks, a process for each connection; none by default."""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap, uncapped
from capacity.monitor.limits.applications.process import Process

NAMES = frozenset({"websocketd"})


def entries(process: Process) -> Iterator[AuditEntry]:
    setting = process.option("--maxforks", "-maxforks")
    if setting is None or not setting.number():
        yield uncapped("--maxforks", f"{process.command_line}: none given")
    else:
        yield cap("--maxforks", setting.number(), setting.source)
