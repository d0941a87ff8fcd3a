"""What readers of an HTTP answer share: nothing but requests goes to the server, no ping and no good-bye."""

from typing import ClassVar

from capacity.loadgen.wire.streams.response import StreamedResponse


class OneWayReader:
    """What a connection is asked for by its slot, of one that only brings something."""

    __slots__ = ("_max_bytes", "_response", "_text", "closing", "cursor", "end", "pongs")

    goodbye: ClassVar[bytes] = b""
    ping: ClassVar[bytes] = b""

    def __init__(self, max_bytes: int, cursor: str | None = None) -> None:
        """Take no message of more than *max_bytes*; *cursor* is where another connection came to."""
        self._max_bytes = max_bytes
        self._response = StreamedResponse()
        self._text = bytearray()
        """What has come of a message that is not whole."""
        self.end: str | None = None
        """Why the connection is over; None while it is not."""
        self.closing: tuple[int, str] | None = None
        self.pongs = 0
        self.cursor = cursor
        """Where the next connection, or the next request, goes on."""

    @property
    def held_bytes(self) -> int:
        return len(self._text)

    def framed(self, payload: bytes, *, is_binary: bool) -> bytes:  # noqa: ARG002 - nothing is sent
        """Return nothing: messages go one way."""
        return b""
