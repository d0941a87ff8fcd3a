"""Long polls: each answer is a message, and asks for the next one from where it ends."""

from collections.abc import Mapping, Sequence
from http import client

from capacity.loadgen.wire.streams.one_way import OneWayReader
from capacity.loadgen.wire.streams.response import INVALID, TOO_BIG, StreamedResponse

NOT_KEPT = "connection_not_kept"
_OK, _NO_CONTENT, _NOT_MODIFIED, _TIMEOUT = 200, 204, 304, 408
_NOTHING_NEW = {_NO_CONTENT, _NOT_MODIFIED, _TIMEOUT}


class LongPollReader(OneWayReader):
    """Hands on the body of each answer, and asks again at once on the same connection.

    The cursor is the header lines of the next request.
    """

    __slots__ = ("_next", "_request", "_told")

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
        super().__init__(max_bytes, cursor)
        self._request = request
        self._next = headers
        self._told: dict[str, str] = {}

    def asked(self) -> bytes:
        """Return the next request."""
        return self._request + (self.cursor or "").encode("latin-1") + b"\r\n"

    def feed(self, data: bytes, replies: list[bytes]) -> Sequence[bytes]:
        """Return the bodies that *data* completes; the next request is appended to *replies*."""
        response = self._response
        try:
            self._text += response.taken(data)
        except client.HTTPException:
            self.end = INVALID
            return ()
        if len(self._text) > self._max_bytes:
            self.end = TOO_BIG
        if not response.message_complete or self.end is not None or response.status < _OK:
            return ()
        return self._answered(response, replies)

    def _answered(self, response: StreamedResponse, replies: list[bytes]) -> Sequence[bytes]:
        status, body = response.status, bytes(self._text)
        self._text, self._response = bytearray(), StreamedResponse()
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
