"""One run at a time for each target: an advisory lock (flock) on a file named after its address.

The kernel releases the lock when its holder ends, however it ends, so a lock is never stale. What
is written in the file serves the message alone. Its holder removes it at the end, and whoever has
opened it meanwhile looks again; what a killed run has left, the next run removes.
"""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

from capacity.domain.errors import ConfigError, LockedError

EARLIER = Path("reports") / "locks"
"""Where versions before this one lock, in the folder they run in: they are heeded, and heed us."""
_SAME = {"::1": "127.0.0.1"}
"""localhost is both."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/net")
_PATIENCE_S, _PAUSE_S = 0.5, 0.05
"""For who only looks whether a lock is free."""


@contextlib.contextmanager
def locked(place: Path, address: str, *, run: str) -> Iterator[None]:
    """Hold the lock of the target at *address* (host:port) in the folder *place*, or be a child of its holder.

    Raises LockedError where another has it, and ConfigError.
    """
    resolved = _resolved(address)
    files = [place / f"{quote(_told_apart(resolved), safe='@')}.lock"]
    earlier = EARLIER / f"{quote(resolved, safe='')}.lock"
    if earlier.exists() and earlier.resolve() != files[0].resolve():
        files.append(earlier)
    with contextlib.ExitStack() as held:
        for file in files:
            held.enter_context(_held(file, address, run))
        for folder in (place, EARLIER):
            _tidy(folder)
        yield


@contextlib.contextmanager
def _held(path: Path, address: str, run: str) -> Iterator[None]:
    try:
        file = _taken(path, address)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be opened to lock target {address} ({error.strerror})"
        ) from None
    if file is None:
        yield
        return
    with file:
        file.truncate(0)
        json.dump(
            {"run": run, "pid": os.getpid(), "boot_id": _boot_id(), "started_at": time.time()}, file
        )
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _taken(path: Path, address: str) -> TextIO | None:
    """Return the file at *path*, locked; None where our parent has it. Raises LockedError and OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        file = _opened(path, os.O_CREAT)
        if _is_free(file) and _is_there(file, path):
            return file
        with file:
            text = file.read()
        if _is_of_parent(text):
            return None
        if time.monotonic() > deadline_s:
            raise LockedError(f"target {address} is busy: {_holder(text)}")
        time.sleep(_PAUSE_S)


def _opened(path: Path, more: int = 0) -> TextIO:
    # Whoever can open it can hold it.
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | more, 0o600)
    with contextlib.suppress(PermissionError):
        os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace")


def _is_free(file: TextIO) -> bool:
    """Take the lock, unless another has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_there(file: TextIO, path: Path) -> bool:
    """Tell whether the file of this name is still the one that was opened."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _tidy(folder: Path) -> None:
    """Remove the files that nobody holds."""
    for path in folder.glob("*.lock"):
        # Another's, or gone meanwhile.
        with contextlib.suppress(OSError), _opened(path) as file:
            if _is_free(file) and _is_there(file, path):
                path.unlink()


def _resolved(address: str) -> str:
    """Return *address* with what its host stands for: one lock, however it is called."""
    host, _, port = address.lower().rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return address.lower()
    addresses = {str(each[4][0]).partition("%")[0] for each in found}
    return f"{min(_SAME.get(each, each) for each in addresses)}:{port}"


def _told_apart(resolved: str) -> str:
    """Return the address with its network namespace where it is another target in each."""
    try:
        if ip_address(resolved.rpartition(":")[0]).is_loopback:
            return f"{resolved}@{_NAMESPACE.stat().st_ino}"
    except (ValueError, OSError):
        pass
    return resolved


def _is_of_parent(text: str) -> bool:
    """Tell whether the process that started this one holds the lock: `capacity measure` of Locust."""
    try:
        holder = json.loads(text)
        return bool(holder["pid"] == os.getppid() and holder["boot_id"] == _boot_id())
    except (ValueError, KeyError, TypeError):
        return False


def _holder(text: str) -> str:
    try:
        holder = json.loads(text)
        since = datetime.fromtimestamp(holder["started_at"], UTC)
        # Over a network file system the holder may be elsewhere, where its pid means another.
        where = "" if holder["boot_id"] == _boot_id() else " of another host"
        return (
            f"run {holder['run']} by pid {holder['pid']}{where} since {since:%Y-%m-%d %H:%M:%S} UTC"
        )
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        # It has the lock and has not said more yet.
        return "another run has just begun"


def _boot_id() -> str | None:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return None
