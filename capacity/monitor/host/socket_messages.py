"""The kernel's answers about sockets (sock_diag(7)): netlink messages, each with attributes behind it."""

import os
import struct
from collections.abc import Iterator

BY_FAMILY = 20
"""SOCK_DIAG_BY_FAMILY: a question about sockets, and each message of the answer."""
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
HEADER = struct.Struct("=IHHII")
"""nlmsghdr: length, type, flags, sequence number, port."""
SOCKET = struct.Struct("=BBBB2s2s16s16sIIIIIIII")
"""inet_diag_msg: family, state, timer, retransmits, ports and addresses in network order,
interface, cookie (2), expiry, receive queue, write queue, uid, inode."""
_ATTRIBUTE = struct.Struct("=HH")


def starts(part: bytes) -> Iterator[int]:
    """Yield where each message about a socket begins in *part*."""
    start = 0
    while start < len(part):
        length_bytes, kind, *_ = HEADER.unpack_from(part, start)
        if kind != BY_FAMILY:
            return
        yield start
        start += (length_bytes + 3) & ~3


def end_of_sockets(part: bytes) -> int:
    """Return where the messages about sockets end: mostly the end of the part."""
    if _uniform_count(part):
        return len(part)
    end = 0
    for start in starts(part):
        end = start + ((HEADER.unpack_from(part, start)[0] + 3) & ~3)
    return end


def _uniform_count(part: bytes) -> int:
    """Return how many messages *part* holds if all are equally long and about sockets, else 0.

    Thousands of sockets come as equal messages: comparing strided columns counts them without a
    loop in Python.
    """
    if len(part) % 4:
        return 0
    words = memoryview(part).cast("I")
    stride = words[0] // 4
    if words[0] % 4 or len(words) % stride or words[1] & 0xFFFF != BY_FAMILY:
        return 0
    if set(words[::stride]) != {words[0]} or set(words[1::stride]) != {words[1]}:
        return 0
    return len(words) // stride


def count(part: bytes) -> int:
    """Return how many sockets *part* tells of."""
    return _uniform_count(part) or sum(1 for _ in starts(part))


def raise_for_error(part: bytes, start: int) -> None:
    """Raise OSError where the message at *start* is a refusal."""
    _, kind, *_ = HEADER.unpack_from(part, start)
    if kind in {_NLMSG_ERROR, _NLMSG_DONE}:
        (code,) = struct.unpack_from("=i", part, start + HEADER.size)
        if code:
            raise OSError(-code, f"sock_diag: {os.strerror(-code)}")


def attribute_at(part: bytes, start: int, wanted: int, least_bytes: int) -> int | None:
    """Return where the content of an attribute begins; None where it is not there or shorter."""
    end = start + HEADER.unpack_from(part, start)[0]
    place = start + HEADER.size + SOCKET.size
    while place + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(part, place)
        if kind == wanted and length - _ATTRIBUTE.size >= least_bytes:
            return place + _ATTRIBUTE.size
        place += max(_ATTRIBUTE.size, (length + 3) & ~3)
    return None
