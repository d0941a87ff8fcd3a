"""FD_SETSIZE: who waits with select(2) has no use for descriptors from 1,024 on, whatever RLIMIT_NOFILE says.

The C library's set has that many bits; a higher descriptor ends the program, or is written beyond the
set (select(2), BUGS). So wait PHP's ReactPHP and Ratchet without an extension, and programs in Python or
C that call it. Ruby and Perl make sets of their own that grow: found by filling EventMachine under Ruby.
A thread that waits shows its system call and how far its set reaches (proc_pid_syscall(5)).
"""

import os
import platform
from collections.abc import Collection, Iterator

from capacity.domain.resources import SELECT, AuditEntry, Resource, Scaling
from capacity.monitor.host.discovery import link_of
from capacity.monitor.host.processor_time import thread_ids
from capacity.monitor.host.procfs import ProcessStat, read_text
from capacity.monitor.host.sock_diag import Listener
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.entries import audited, failing

FD_SETSIZE = 1024
"""Of glibc and musl."""
_SELECTS = {"x86_64": {23, 270}, "aarch64": {72}}
"""Machine -> numbers of select and pselect6; others are not looked at."""
_MOST_THREADS = 16
"""Looked at in one process, the first ones first: a loop is among them."""
_TOO_MANY_THREADS = 256
"""Of which even the list takes long; a process with so many has been looked at when it had fewer."""
_GROWING = ("ruby", "perl")
"""Beginnings of programs whose sets have as many bits as it takes."""
_EPOLL = "anon_inode:[eventpoll]"


def source_of(pid: int, proc: str = "/proc") -> str:
    return (
        f"{proc}/{pid}/syscall: it waits with select(2), which takes descriptors below FD_SETSIZE"
    )


def waits_with_select(
    pid: int, stat: ProcessStat, listening: Collection[int], proc: str = "/proc"
) -> bool:
    """Tell whether *pid* waits for its clients with select now.

    Whose set reaches to a connection does. One that ends at a socket that listens, or at one of which
    this is not known, is a loop of clients to come where the process has but one thread and no epoll set.
    Raises OSError where it may not be seen. *listening* are the inodes of sockets that listen; empty
    where they were not read.
    """
    if stat.threads > _TOO_MANY_THREADS or _has_growing_sets(pid, proc):
        return False
    for thread in thread_ids(pid, stat, proc)[:_MOST_THREADS]:
        highest = _highest_in_set(f"{proc}/{pid}/task/{thread}/syscall")
        if highest is None:
            continue
        socket = link_of(f"{proc}/{pid}/fd/{highest}")
        if not socket.startswith("socket:["):
            continue
        if listening and int(socket[8:-1]) not in listening:
            return True
        if stat.threads == 1 and not _has_epoll_set(pid, proc):
            return True
    return False


def select_entries(
    target: TargetView, listeners: Collection[Listener] = ()
) -> Iterator[AuditEntry]:
    """Yield what select allows the process that waits with it, or that none was seen to."""
    listening = {listener.inode for listener in listeners}
    pid, read = None, _nothing
    try:
        pid = next(
            (
                pid
                for pid, stat in target.stats.items()
                if waits_with_select(pid, stat, listening, target.proc)
            ),
            None,
        )
    except OSError as error:
        read = failing(error)
    yield audited(
        "FD_SETSIZE",
        read if pid is None else lambda: FD_SETSIZE,
        unit="descriptors",
        scope=SELECT,
        source=f"{target.proc}/PID/syscall: whether it waits with select(2)"
        if pid is None
        else source_of(pid, target.proc),
        scales_with=Scaling.CONNECTIONS,
        resource=Resource.DESCRIPTORS,
    )


def _nothing() -> float | None:
    return None


def _highest_in_set(path: str) -> int | None:
    """Return the highest descriptor that a thread waits for with select, None if it does not."""
    try:
        words = read_text(path).split()
    except (FileNotFoundError, ProcessLookupError):
        return None  # It ended.
    if len(words) < 2 or not words[0].isdecimal():
        return None  # It runs.
    is_select = int(words[0]) in _SELECTS.get(platform.machine(), ())
    return int(words[1], 16) - 1 if is_select and int(words[1], 16) > 0 else None


def _has_epoll_set(pid: int, proc: str) -> bool:
    folder = f"{proc}/{pid}/fd"
    return any(link_of(f"{folder}/{name}") == _EPOLL for name in os.listdir(folder))  # noqa: PTH208


def _has_growing_sets(pid: int, proc: str) -> bool:
    program = link_of(f"{proc}/{pid}/exe").rpartition("/")[2]
    return program.startswith(_GROWING)
