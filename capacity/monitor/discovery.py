"""From what the operator said (a pid, a port, a name) to the first processes of the target.

Runs at start and when the target has vanished, never on a beat: it may look at every process.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from capacity.domain.errors import UnreachableError
from capacity.monitor.sock_diag import SocketTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """How the target was named; exactly one field is set."""

    pid: int | None = None
    port: int | None = None
    name: str | None = None

    def __str__(self) -> str:
        if self.pid is not None:
            return f"process {self.pid}"
        return f"port {self.port}" if self.port is not None else f"process name {self.name!r}"


def find_roots(selector: Selector) -> tuple[int, ...]:
    """Return the target's topmost processes; UnreachableError when there is none."""
    if selector.pid is not None:
        if not is_alive(selector.pid):
            raise UnreachableError(
                f"there is no process {selector.pid}: start the target first, "
                "or name it by --port or --name"
            )
        return (selector.pid,)
    if selector.port is not None:
        return topmost(port_holders(selector.port))
    return topmost(named_processes(selector.name or ""))


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return False


def named_processes(name: str) -> set[int]:
    """Return the processes called *name*, this one excepted."""
    pids = {
        process.pid
        for process in psutil.process_iter(["name", "status"])
        if process.info["name"] == name
        and process.pid != os.getpid()
        and process.info["status"] != psutil.STATUS_ZOMBIE
    }
    if not pids:
        raise UnreachableError(
            f"no process is called {name!r}: the name must match exactly (ps -eo comm lists them)"
        )
    return pids


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
            f"something listens on TCP port {port}, but its owner cannot be seen: run the agent "
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


def topmost(pids: Iterable[int]) -> tuple[int, ...]:
    """Return those of *pids* that none of the others started; or their parent, if it is alike.

    A prefork master is found by what its workers hold. Workers that each opened the port
    (SO_REUSEPORT) have a master that does not hold it: it is taken when it bears their name.
    """
    candidates = set(pids)
    roots = tuple(sorted(pid for pid in candidates if not candidates.intersection(_ancestors(pid))))
    if len(roots) < 2:
        return roots
    parents = {next(iter(_ancestors(pid)), 0) for pid in roots}
    names = {_name(pid) for pid in roots}
    if len(parents) == 1 and {_name(pid) for pid in parents} == names:
        return tuple(parents)
    return roots


def _ancestors(pid: int) -> list[int]:
    try:
        return [parent.pid for parent in psutil.Process(pid).parents()]
    except psutil.Error:
        return []


def _name(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return ""
