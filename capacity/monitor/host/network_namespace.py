"""Which network namespace a process lives in, and looking into it (network_namespaces(7)).

/proc/PID/net shows the process's own namespace to everybody; sock_diag shows the caller's. Each
namespace has its own inode for /proc/PID/net/tcp, so that comparing needs no privilege; entering
another one needs CAP_SYS_ADMIN.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from capacity.monitor.host.sock_diag import SocketTable

_CLONE_NEWNET = 0x40000000


def is_own_namespace(pid: int, proc: str = "/proc") -> bool:
    """Return whether *pid* lives in the agent's network namespace."""
    return os.stat(f"{proc}/{pid}/net/tcp").st_ino == os.stat(f"{proc}/self/net/tcp").st_ino  # noqa: PTH116 - Path adds nothing to an inode


@contextmanager
def inside_namespace(pid: int, proc: str = "/proc") -> Iterator[None]:
    """Put the calling thread into *pid*'s network namespace; PermissionError where we may not.

    A socket belongs for good to the namespace that it was made in, and /proc/sys/net shows that of
    the thread which looks.
    """
    if is_own_namespace(pid, proc):
        yield
        return
    home = os.open(f"{proc}/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(f"{proc}/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def open_socket_table(pid: int, proc: str = "/proc") -> SocketTable:
    """Return the sockets of *pid*'s network namespace; PermissionError where we may not enter."""
    with inside_namespace(pid, proc):
        return SocketTable()


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET):
        code = ctypes.get_errno()
        raise OSError(code, f"cannot enter the network namespace: {os.strerror(code)}")
