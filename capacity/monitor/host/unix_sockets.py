"""Unix-domain sockets of this thread's network namespace, through NETLINK_SOCK_DIAG (sock_diag(7)).

A connection has two ends; the one that was accepted bears the name of its listener (unix(7)).
"""

import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from capacity.monitor.host.socket_messages import HEADER, end_of_sockets, raise_for_error, starts

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_REQUEST = struct.Struct("=BBHIIIII")
"""unix_diag_req: family, protocol, padding, states, inode, what to show, cookie (2)."""
_ALL_STATES = 0xFFFFFFFF
_SHOW_NAME, _SHOW_PEER = 1 << 0, 1 << 2
_SOCKET = struct.Struct("=BBBBIII")
"""unix_diag_msg: family, type, state, padding, inode, cookie (2)."""
_LISTEN = 10
_ATTRIBUTE = struct.Struct("=HH")
_NAME, _PEER = 0, 2
_INODE = struct.Struct("=I")
_RECEIVE_BYTES = 1 << 16
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnixSocket:
    """One end."""

    name: str | None
    """Path, or "@" and an abstract name; None for the end that dialled."""
    peer: int | None
    """Inode of the other end."""
    is_listening: bool


def unix_sockets() -> dict[int, UnixSocket]:
    """Return all by inode. Raises OSError where the kernel does not tell."""
    return {
        inode: found
        for part in _dump()
        for start in starts(part)
        for inode, found in [_socket(part, start)]
    }


def _dump() -> Iterator[bytes]:
    with closing(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)) as netlink:
        netlink.settimeout(_TIMEOUT_S)
        shown = _SHOW_NAME | _SHOW_PEER
        body = _REQUEST.pack(socket.AF_UNIX, 0, 0, _ALL_STATES, 0, shown, 0, 0)
        flags = _NLM_F_REQUEST | _NLM_F_DUMP
        head = HEADER.pack(HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, flags, 1, 0)
        netlink.send(head + body)
        while True:
            part = netlink.recv(_RECEIVE_BYTES)
            end = end_of_sockets(part)
            yield part[:end]
            if end < len(part):
                raise_for_error(part, end)
                return


def _socket(part: bytes, start: int) -> tuple[int, UnixSocket]:
    _family, _type, state, _, inode, *_cookie = _SOCKET.unpack_from(part, start + HEADER.size)
    name: str | None = None
    peer: int | None = None
    place = start + HEADER.size + _SOCKET.size
    end = start + HEADER.unpack_from(part, start)[0]
    while place + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(part, place)
        content = part[place + _ATTRIBUTE.size : place + length]
        if kind == _NAME:
            name = _readable(content)
        elif kind == _PEER:
            (peer,) = _INODE.unpack(content)
        place += max(_ATTRIBUTE.size, (length + 3) & ~3)
    return inode, UnixSocket(name=name, peer=peer, is_listening=state == _LISTEN)


def _readable(name: bytes) -> str:
    """Return a name as ss(8) shows it: what is abstract begins with a null byte."""
    text = name.decode("utf-8", "replace")
    return "@" + text[1:] if text.startswith("\0") else text.rstrip("\0")
