"""When the kernel received what is read (SO_TIMESTAMPNS), however late it is read."""

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterable
from typing import Any

_SO_TIMESTAMPNS = 35
"""asm-generic/socket.h; the same number names the control message."""
_TIMESPEC = struct.Struct("@ll")
NOTES_BYTES = 64


def ask_for_stamps(sock: Any) -> bool:
    """Have the kernel stamp what *sock* receives from now on; return whether it will.

    Not over TLS, which hands out no stamps.
    """
    if isinstance(sock, ssl.SSLSocket):
        return False
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        return True
    return False


def stamp_in(notes: Iterable[tuple[int, int, bytes]]) -> float | None:
    """Return the stamp among the control messages of a read, epoch seconds."""
    for level, kind, content in notes:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack_from(content)
            return float(seconds + nanoseconds / 1e9)
    return None


def first_stamp(sock: Any) -> float | None:
    """Return when the next byte was received, and leave it there; waits for one."""
    _data, notes, _flags, _address = sock.recvmsg(1, NOTES_BYTES, socket.MSG_PEEK)
    return stamp_in(notes)
