"""From what the operator said (a pid, a port, a name …) to the first processes of the target.

Runs at start and when the target has vanished, never while sampling: it may look at every process.
"""

import os
from dataclasses import dataclass, fields
from pathlib import Path

import psutil

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.monitor.host import visibility
from capacity.monitor.host.cgroup_members import cgroup_members, unit_members
from capacity.monitor.host.processes import (
    command_line,
    is_alive,
    matching_processes,
    named_processes,
    outermost,
    topmost,
)
from capacity.monitor.host.procfs import read_text
from capacity.monitor.host.sock_diag import SocketTable

_SHOWN = {
    "pid": "process {}",
    "pidfile": "the process in {}",
    "port": "port {}",
    "name": "process name {!r}",
    "cmdline": "command line {!r}",
    "unit": "unit {}",
    "cgroup": "cgroup {}",
}
_LISTED = 5
"""Ambiguous matches that a sentence lists."""
_SHOWN_LETTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """How the target was named; exactly one field is set."""

    pid: int | None = None
    pidfile: Path | None = None
    """A file that begins with the number of the first process."""
    port: int | None = None
    name: str | None = None
    cmdline: str | None = None
    """A regular expression that the command line contains."""
    unit: str | None = None
    """A systemd unit."""
    cgroup: str | None = None
    """A cgroup, as /proc/PID/cgroup has it or as a directory below /sys/fs/cgroup."""

    def __str__(self) -> str:
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        [(name, value)] = [item for item in given.items() if item[1] is not None]
        return _SHOWN[name].format(value)


def find_roots(selector: Selector) -> tuple[int, ...]:
    """Return the target's topmost processes.

    Raises UnreachableError when there is none, ConfigError when it could be several targets.
    """
    if selector.pid is not None:
        return (_living(selector.pid, "start the target first, or name it by --port or --name"),)
    if selector.pidfile is not None:
        remedy = f"--pidfile {selector.pidfile} is stale; start the target, or name it by --port"
        return (_living(pid_in(selector.pidfile), remedy),)
    if selector.port is not None:
        return topmost(port_holders(selector.port))
    if selector.cmdline is not None:
        return _only(selector, outermost(matching_processes(selector.cmdline)))
    if selector.name is not None:
        return _only(selector, outermost(named_processes(selector.name)))
    if members := group_members(selector):
        return topmost(members)
    raise UnreachableError(f"{selector} matches no visible process{visibility.hint()}")


def group_members(selector: Selector) -> set[int]:
    """Return the living processes of the unit or cgroup that is meant; none where none is."""
    if selector.unit is not None:
        members = unit_members(selector.unit)
    elif selector.cgroup is not None:
        members = cgroup_members(selector.cgroup)
    else:
        return set()
    return {pid for pid in members if pid != os.getpid() and is_alive(pid)}


def _living(pid: int, remedy: str) -> int:
    if is_alive(pid):
        return pid
    if visibility.is_hidden(pid):
        raise UnreachableError(f"process {pid} is not visible: {visibility.REMEDY}")
    raise UnreachableError(f"there is no process {pid}: {remedy}")


def pid_in(file: Path) -> int:
    """Return the number that *file* begins with; UnreachableError when it holds none yet."""
    try:
        text = read_text(str(file))
    except OSError as error:
        raise UnreachableError(
            f"--pidfile {file}: {error.strerror}; start the target first, or name it by --port"
        ) from error
    first = text.split("\n", 1)[0].strip()
    if not (first.isascii() and first.isdecimal() and 0 < int(first) <= 1 << 22):
        raise UnreachableError(f"--pidfile {file}: holds no process id (got {first[:20]!r})")
    return int(first)


def _only(selector: Selector, roots: tuple[int, ...]) -> tuple[int, ...]:
    if len(roots) < 2:
        return roots
    listed = [f"{pid} ({command_line(pid)[:_SHOWN_LETTERS]})" for pid in roots[:_LISTED]]
    more = f" and {len(roots) - _LISTED} more" if len(roots) > _LISTED else ""
    raise ConfigError(
        f"{selector} matches {len(roots)} targets: {', '.join(listed)}{more}; choose one with --pid, "
        "--port or --unit"
    )


def port_holders(port: int) -> set[int]:
    """Return the processes that hold a listening TCP socket on *port*, in our namespace."""
    table = SocketTable()
    try:
        inodes = {listener.inode for listener in table.listeners() if listener.port == port}
    finally:
        table.close()
    if not inodes:
        raise UnreachableError(
            f"nothing listens on TCP port {port} here: start the target first, or name it by "
            "--pid when it listens in another network namespace"
        )
    holders = {pid for pid in psutil.pids() if pid != os.getpid() and _holds(pid, inodes)}
    if not holders:
        raise UnreachableError(
            f"a process listens on TCP port {port}, but it is not visible: run the agent "
            "as the target's user or as root, or name the target by --pid"
        )
    # systemd keeps the sockets that it hands over; it is no part of the target.
    return holders - {1} or holders


def _holds(pid: int, inodes: set[int]) -> bool:
    try:
        return not inodes.isdisjoint(held_sockets(pid))
    except OSError:
        return False  # It ended, or it is not ours to look into.


def held_sockets(pid: int, proc: str = "/proc") -> set[int]:
    """Return the inodes of the sockets that *pid* holds."""
    with os.scandir(f"{proc}/{pid}/fd") as entries:
        links = [link_of(entry.path) for entry in entries]
    return {int(link[8:-1]) for link in links if link.startswith("socket:[")}


def link_of(path: str) -> str:
    """Return what the descriptor at *path* leads to; empty when it was closed meanwhile."""
    try:
        return os.readlink(path)  # noqa: PTH115 - ten times the speed of Path, for every descriptor
    except OSError:
        return ""
