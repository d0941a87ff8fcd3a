"""Server-sent events as WHATWG HTML, section 9.2.6, has them read: the bytes of one answer cut into events."""

from collections.abc import Sequence
from http.client import HTTPException

from capacity.loadgen.wire.streams.one_way import OneWayReader
from capacity.loadgen.wire.streams.response import INVALID, TOO_BIG

ENDED = "connection_ended"
_MARK = b"\xef\xbb\xbf"
_EVENT_END = b"\n\n"
_ID, _DATA = b"id", b"data"


class EventStreamReader(OneWayReader):
    """Hands on each event that has data, as its lines with newlines between them.

    The cursor is the id of the last event, from which the next connection asks to be served.
    """

    __slots__ = ("_has_begun", "_is_after_cr")

    def __init__(self, max_bytes: int, cursor: str | None = None) -> None:
        """Take no event of more than *max_bytes*; *cursor* is the id of the last one before a loss."""
        super().__init__(max_bytes, cursor)
        self._has_begun = self._is_after_cr = False

    def feed(self, data: bytes, replies: list[bytes]) -> Sequence[bytes]:  # noqa: ARG002 - nothing is sent
        """Return the events that *data* completes."""
        try:
            text = self._response.taken(data)
        except HTTPException:
            self.end = INVALID
            return ()
        events = self._events(text) if text else []
        if self._response.message_complete:
            self.end = self.end or ENDED
        return events

    def _events(self, text: bytes) -> list[bytes]:
        searched = max(0, len(self._text) - 1)
        self._text += self._with_newlines(text)
        if not self._has_begun and len(self._text) >= len(_MARK):
            self._has_begun = True
            if self._text.startswith(_MARK):
                del self._text[: len(_MARK)]
        events = []
        if self._text.find(_EVENT_END, searched) >= 0:
            *whole, rest = bytes(self._text).split(_EVENT_END)
            self._text = bytearray(rest)
            events = [block for block in whole if self._is_event(block)]
        if max(map(len, (self._text, *events))) > self._max_bytes:
            self.end = TOO_BIG
        return events

    def _with_newlines(self, text: bytes) -> bytes:
        """Return *text* with newlines for all three line ends, also where one is cut in two."""
        if self._is_after_cr and text[:1] == b"\n":
            text = text[1:]
        self._is_after_cr = text[-1:] == b"\r" if text else False
        if b"\r" not in text:
            return text
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _is_event(self, block: bytes) -> bool:
        """Tell whether *block* has data, and take note of its id."""
        has_data = False
        for line in block.split(b"\n"):
            name, _, value = line.partition(b":")
            if name == _DATA:
                has_data = True
            elif name == _ID and b"\0" not in value:
                self.cursor = value.removeprefix(b" ").decode(errors="replace")
        return has_data
