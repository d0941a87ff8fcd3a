"""WebSocket frames as a server sends them: final and unmasked (RFC 6455 §5.2), and where they go."""

import struct
from typing import Protocol

_TEXT = 0x81
_CLOSE = 0x88
_PING = 0x89
_PONG = 0x8A


class Outlet(Protocol):
    """Where a connection's frames go, each whole: asyncio's transport, or what stands before one."""

    def write(self, frame: bytes, /) -> None: ...

    def get_write_buffer_size(self) -> int:
        """Return the bytes that the kernel has not taken yet."""
        ...

    def is_closing(self) -> bool: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


def text_frame(payload: bytes) -> bytes:
    """Return *payload* as one text frame; the same bytes serve every receiver."""
    size_bytes = len(payload)
    if size_bytes < 126:
        return struct.pack("!BB", _TEXT, size_bytes) + payload
    if size_bytes < 65536:
        return struct.pack("!BBH", _TEXT, 126, size_bytes) + payload
    return struct.pack("!BBQ", _TEXT, 127, size_bytes) + payload


def close_frame(code: int, reason: str) -> bytes:
    """Return a close frame; *reason* takes at most 123 bytes."""
    payload = struct.pack("!H", code) + reason.encode()
    return struct.pack("!BB", _CLOSE, len(payload)) + payload


def pong_frame(payload: bytes) -> bytes:
    """Return the answer to a ping of *payload*, which has at most 125 bytes."""
    return struct.pack("!BB", _PONG, len(payload)) + payload


def ping_frame(payload: bytes) -> bytes:
    """Return a ping of *payload*, which takes at most 125 bytes and comes back in its answer."""
    return struct.pack("!BB", _PING, len(payload)) + payload


def payload_of(frame: bytes) -> bytes | None:
    """Return the payload of a text frame as `text_frame` made it; None of any other frame."""
    if frame[0] != _TEXT:
        return None
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]
