"""Counts the messages that wait for a client to read, and says full when they are too many."""

from collections import deque

from capacity.exchange.frames import Outlet

FULL_BYTES = 1 << 62
"""More than any bound on bytes."""


class CountingOutlet:
    """Stands directly before a connection, so that it sees frames as they are sent."""

    __slots__ = ("_before", "_most", "_sizes_bytes", "_waiting_bytes")

    def __init__(self, before: Outlet, most_messages: int) -> None:
        self._before = before
        self._most = most_messages
        self._sizes_bytes: deque[int] = deque()
        self._waiting_bytes = 0

    def write(self, frame: bytes) -> None:
        self._before.write(frame)
        self._sizes_bytes.append(len(frame))
        self._waiting_bytes += len(frame)

    def get_write_buffer_size(self) -> int:
        """Return the bytes that wait; FULL_BYTES where more messages do than may."""
        waiting_bytes = self._before.get_write_buffer_size()
        while self._sizes_bytes and self._waiting_bytes - self._sizes_bytes[0] >= waiting_bytes:
            self._waiting_bytes -= self._sizes_bytes.popleft()
        return FULL_BYTES if len(self._sizes_bytes) > self._most else waiting_bytes

    def is_closing(self) -> bool:
        return self._before.is_closing()

    def close(self) -> None:
        self._before.close()

    def abort(self) -> None:
        self._before.abort()
