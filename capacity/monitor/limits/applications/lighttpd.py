"""lighttpd: server.max-connections, by default a third of server.max-fds and never more than half.

src/server.c of lighttpd 1.4: what is beyond the cap waits until somebody leaves. What a shell
command prints (include_shell) is not looked at: no command is ever run.
"""

import os
import re
from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap, told
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError
from capacity.monitor.limits.rlimits import soft_open_files

NAMES = frozenset({"lighttpd", "lighttpd-angel"})
_USUAL = ("/etc/lighttpd/lighttpd.conf",)
_KEPT = frozenset({"server.max-connections", "server.max-fds", "server.max-worker"})
_ASSIGNED = re.compile(r"([\w.-]+)\s*(\+?:?=)\s*(.+)")
_INCLUDE = re.compile(r'include\s+"([^"]*)"')
_MOST_DEPTH = 16


def entries(process: Process) -> Iterator[AuditEntry]:
    given = dict(process.options(("-f",)))
    path = given.get("-f") or process.first_existing(_USUAL)
    found: dict[str, Setting] = {}
    _read(process, process.files.absolute(path), found, 0)
    shell = found.get("include_shell")
    descriptors = found.get("server.max-fds")
    setting = found.get("server.max-connections")
    if setting is None and shell is not None:
        raise UnclearError("include_shell may set server.max-connections", shell.where)
    open_files = soft_open_files(process.pid, process.proc)
    if descriptors is not None:
        yield told("server.max-fds", descriptors.number(), descriptors.source, unit="descriptors")
    workers = max(1, found["server.max-worker"].number()) if "server.max-worker" in found else 1
    times = f", in each of {workers} workers" if workers > 1 else ""
    if setting is None:
        if open_files is None:
            raise UnclearError("a third of the descriptors, which are unlimited", path)
        source = f"{path}: no server.max-connections, so a third of {open_files} descriptors{times}"
        yield cap("server.max-connections", open_files // 3 * workers, source)
        return
    most = setting.number()
    source = setting.source
    if open_files is not None and most > open_files // 2:
        most, source = open_files // 2, f"{source}, but half of {open_files} descriptors"
    yield cap("server.max-connections", most * workers, f"{source}{times}")


def _read(process: Process, path: str, found: dict[str, Setting], depth: int) -> None:
    if depth > _MOST_DEPTH:
        raise UnclearError(f"files include one another more than {_MOST_DEPTH} deep", path)
    for line, where in process.lines(path):
        text = line.partition("#")[0].strip()
        included = _INCLUDE.match(text)
        if included is not None:
            folder = os.path.dirname(path)  # noqa: PTH120 - a path of another root
            for name in process.files.matching(process.files.absolute(included[1], folder)):
                _read(process, name, found, depth + 1)
        elif text.startswith("include_shell"):
            found["include_shell"] = Setting("include_shell", "", where)
        elif (assigned := _ASSIGNED.match(text)) and assigned[1] in _KEPT:
            found[assigned[1]] = Setting(assigned[1], assigned[3], where)
