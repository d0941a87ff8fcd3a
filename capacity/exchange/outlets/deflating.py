"""permessage-deflate (RFC 7692) as a server sends it: one update is compressed once for everybody.

Each message is compressed for itself, which every client can read, whatever context it offered to keep;
the same bytes then serve all whose window is of the same size.
"""

import zlib

from capacity.exchange.frames import Outlet, payload_of, text_frame

_TAIL = b"\x00\x00\xff\xff"
"""What every flush ends with, and no message (RFC 7692, section 7.2.1)."""
_COMPRESSED = 0x40
"""The first reserved bit of a frame."""


class Deflater:
    """Compresses frames for windows of one size, and remembers the last one."""

    def __init__(self, window_bits: int) -> None:
        """Use a window of 2 ** *window_bits* bytes, 9 to 15."""
        self._zlib = zlib.compressobj(level=1, wbits=-window_bits)
        self._last: bytes | None = None
        self._deflated = b""

    def deflated(self, frame: bytes) -> bytes:
        """Return a text frame compressed; any other as it is."""
        if frame is self._last:
            return self._deflated
        payload = payload_of(frame)
        if payload is None:
            return frame
        # After a full flush nothing refers to what was before it.
        packed = self._zlib.compress(payload) + self._zlib.flush(zlib.Z_FULL_FLUSH)
        plain = text_frame(packed.removesuffix(_TAIL))
        self._last = frame
        self._deflated = bytes((plain[0] | _COMPRESSED,)) + plain[1:]
        return self._deflated


class DeflatingOutlet:
    __slots__ = ("_before", "_deflater")

    def __init__(self, before: Outlet, deflater: Deflater) -> None:
        """Stand before *before*; *deflater* may be shared by many."""
        self._before = before
        self._deflater = deflater

    def write(self, frame: bytes) -> None:
        self._before.write(self._deflater.deflated(frame))

    def get_write_buffer_size(self) -> int:
        return self._before.get_write_buffer_size()

    def is_closing(self) -> bool:
        return self._before.is_closing()

    def close(self) -> None:
        self._before.close()

    def abort(self) -> None:
        self._before.abort()
