"""WebSocket frames as a server sends them: final, unmasked, uncompressed (RFC 6455 §5.2)."""

import struct

_TEXT = 0x81
_CLOSE = 0x88


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
