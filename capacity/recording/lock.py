"""One run at a time for each target: an advisory lock (flock) on a file named after its address.

The kernel releases the lock when its holder ends, however it ends, so a lock is never stale. What
is written in the file serves the message alone; the file itself stays, because removing it would
let two runs hold locks on two files of the same name.
"""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from capacity.domain.errors import ConfigError, LockedError

_SAME = {"::1": "127.0.0.1"}
"""localhost is both."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@contextlib.contextmanager
def locked(directory: Path, address: str, *, run: str) -> Iterator[None]:
    """Hold the lock of the target at *address* (host:port). Raises LockedError if it is held."""
    path = directory / f"{quote(_resolved(address), safe='')}.lock"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # Whoever can open it can hold it.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with contextlib.suppress(PermissionError):
            os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be opened to lock target {address} ({error.strerror})"
        ) from None
    with os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(f"target {address} is busy: {_holder(file.read())}") from None
        file.truncate(0)
        json.dump(
            {"run": run, "pid": os.getpid(), "boot_id": _boot_id(), "started_at": time.time()}, file
        )
        file.flush()
        yield


def _resolved(address: str) -> str:
    """Return *address* with what its host stands for: one lock, however it is called."""
    host, _, port = address.lower().rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return address.lower()
    addresses = {str(each[4][0]).partition("%")[0] for each in found}
    return f"{min(_SAME.get(each, each) for each in addresses)}:{port}"


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
