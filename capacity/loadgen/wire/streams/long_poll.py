"""Long polls: each answer is a message, and asks for the next one from where it ends."""

from collections.abc import Mapping, Sequence
from http import client
from typing import ClassVar

from capacity.loadgen.wire.streams.response import INVALID, TOO_BIG, StreamedResponse

NOT_KEPT = "connection_not_kept"
_OK, _NO_CONTENT, _NOT_MODIFIED, _TIMEOUT = 200, 204, 304, 408
_NOTHING_NEW = {_NO_CONTENT, _NOT_MODIFIED, _TIMEOUT}


class LongPollReader:
    """Hands on the body of each answer, and asks again at once on the same connection."""

    __slots__ = (
        "_body",
        "_max_bytes",
        "_next",
        "_request",
        "_response",
        "_told",
        "closing",
        "cursor",
        "end",
        "pongs",
    )

    goodbye: ClassVar[bytes] = b""
    ping: ClassVar[bytes] = b""

    def __init__(
        self,
        max_bytes: int,
        request: bytes,
        headers: Mapping[str, str],
        cursor: str | None = None,
    ) -> None:
        """Ask by *request*, a head without its last empty line, and the values of *headers*.

        Name -> name of the header of the answer before that has its value. *cursor* is where
        another connection came to.
        """
        self._max_bytes = max_bytes
        self._request = request
        self._next = headers
        self._body = bytearray()
        self._response = StreamedResponse()
        self._told: dict[str, str] = {}
        self.end: str | None = None
        self.closing: tuple[int, str] | None = None
        self.pongs = 0
        self.cursor = cursor
        """The header lines of the next request."""

    @property
    def held_bytes(self) -> int:
        return len(self._body)

    def framed(self, payload: bytes, *, is_binary: bool) -> bytes:  # noqa: ARG002 - nothing is sent
        """Return nothing: what is sent are polls."""
        return b""

    def asked(self) -> bytes:
        """Return the next request."""
        return self._request + (self.cursor or "").encode("latin-1") + b"\r\n"

    def feed(self, data: bytes, replies: list[bytes]) -> Sequence[bytes]:
        """Return the bodies that *data* completes; the next request is appended to *replies*."""
        response = self._response
        try:
            self._body += response.taken(data)
        except client.HTTPException:
            self.end = INVALID
            return ()
        if len(self._body) > self._max_bytes:
            self.end = TOO_BIG
        if not response.message_complete or self.end is not None or response.status < _OK:
            return ()
        return self._answered(response, replies)

    def _answered(self, response: StreamedResponse, replies: list[bytes]) -> Sequence[bytes]:
        status, body = response.status, bytes(self._body)
        self._body, self._response = bytearray(), StreamedResponse()
        if status != _OK and status not in _NOTHING_NEW:
            self.closing = status, client.responses.get(status, "")
            self.end = f"poll_rejected_{status}"
            return ()
        self._note(response)
        if response.should_close():
            self.end = NOT_KEPT
        else:
            replies.append(self.asked())
        return (body,) if body and status == _OK else ()

    def _note(self, response: StreamedResponse) -> None:
        """Keep where the next request goes on."""
        for name, source in self._next.items():
            value = response.header(source.lower())
            if value is not None:
                self._told[name] = value
        if self._told:
            self.cursor = "".join(f"{name}: {value}\r\n" for name, value in self._told.items())
