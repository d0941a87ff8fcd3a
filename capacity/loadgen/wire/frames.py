"""WebSocket frames of the client's side (RFC 6455), without a socket.

The common frame (complete, unfragmented text or binary) takes the short way through `slot`; closes
are judged by wsproto. On every stream the result is wsproto's: the same messages, the same answers,
the same end. So text must be UTF-8, as for a browser: a target that sends anything else is told by
a failure, not by frames that no dialect fits. A whole text message is checked when it is complete.

Work and memory are bounded by what arrives: a header reserves nothing, bytes are copied a fixed
number of times however they are cut, and no message grows past its limit, inflated or not.
"""

import os
import zlib
from collections.abc import Sequence
from typing import ClassVar

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection

from capacity.domain.words import printable
from capacity.loadgen.wire.compression import Inflater

TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8
PING = 0x9
PONG = 0xA
_FIN = 0x80
_COMPRESSED = 0x40
_MASK_BIT = 0x80
_CONTROL = 0x08
_FIN_TEXT = _FIN | TEXT
_CONTROLS = (_FIN | CLOSE, _FIN | PING, _FIN | PONG)

CLOSED = "closed_by_target"
INVALID = "frame_invalid"
MASKED = "frame_masked"
NOT_UTF8 = "text_not_utf8"
TOO_BIG = "message_too_big"
TOO_MANY_FRAGMENTS = "too_many_fragments"
INFLATES = "message_inflates"
_HARMLESS_BYTES = 1 << 20
MOST_INFLATION = 100
"""Bytes that a compressed one may become, in messages beyond a mebibyte: deflate can do 1,032, and
what does so is no market's data."""
_MIDDLING = bytes((0x81, 126))
"""How a whole text message of 126 to 65,535 bytes begins."""
MOST_REASON = 123
"""Bytes that a close frame has room for (RFC 6455, section 5.5)."""
MAX_FRAGMENTS = 1 << 16
"""Of one message: empty ones add nothing to its size, and would never end."""


def masked_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return one complete client frame around *payload*, masked as RFC 6455 §5.3 demands."""
    length = len(payload)
    if length < 126:
        header = bytes((_FIN | opcode, _MASK_BIT | length))
    elif length < 65536:
        header = bytes((_FIN | opcode, _MASK_BIT | 126)) + length.to_bytes(2, "big")
    else:
        header = bytes((_FIN | opcode, _MASK_BIT | 127)) + length.to_bytes(8, "big")
    mask = os.urandom(4)
    repeated = (mask * length)[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return header + mask + masked.to_bytes(length, "big")


PING_FRAME = masked_frame(b"", opcode=PING)
CLOSE_FRAME = masked_frame((1000).to_bytes(2, "big"), opcode=CLOSE)


class FrameReader:
    """Cuts a byte stream into message payloads and answers what the protocol demands."""

    __slots__ = (
        "_arrived",
        "_fragments",
        "_inflater",
        "_max_bytes",
        "_message",
        "_missing",
        "_opener",
        "_waiting",
        "closing",
        "end",
        "pongs",
    )

    goodbye: ClassVar[bytes] = CLOSE_FRAME
    ping: ClassVar[bytes] = PING_FRAME
    cursor: ClassVar[None] = None
    """A WebSocket does not say where to go on."""

    def __init__(self, max_bytes: int, inflater: Inflater | None = None) -> None:
        self._max_bytes = max_bytes
        self.pongs = 0
        """Pongs that came: answers to our pings, as long as the other end is there."""
        self._inflater = inflater
        self._message: bytearray | None = None
        """What has come of a fragmented message."""
        self._arrived = 0
        """Bytes of it as they came, compressed."""
        self._fragments = 0
        self._opener = 0
        """First byte of that message's first frame."""
        self._waiting: bytearray | None = None
        """The beginning of a frame, which needs this many bytes more:"""
        self._missing = 0
        self.end: str | None = None
        """Why nothing more is to be fed: a close frame came, or the target broke the protocol."""
        self.closing: tuple[int, str] | None = None
        """Code and reason of the close frame that came."""

    def feed(  # noqa: C901, PLR0911, PLR0912 - the hot path: one pass over the bytes, without calls
        self, data: bytes, replies: list[bytes]
    ) -> Sequence[bytes]:
        """Return the payloads that *data* completes; append pongs and closes to *replies*."""
        if self._waiting is not None:
            self._waiting += data
            self._missing -= len(data)
            if self._missing > 0:
                return ()
            data = bytes(self._waiting)
            self._waiting = None
        at, end = 0, len(data)
        if end > 129 and data[:2] == _MIDDLING and self._message is None:
            payload = data[4:]
            # One text message in one frame, and nothing else: what nearly every read brings.
            if (data[2] << 8 | data[3]) == len(payload) <= self._max_bytes and payload.isascii():
                return (payload,)
        payloads: list[bytes] = []
        while (stop := at + 2) <= end:
            first, length = data[at], data[at + 1]
            is_whole = first in (0x81, 0x82) and self._message is None  # FIN, text or binary
            if (length > 127 or not is_whole) and (fault := self._fault(first, length)):
                self.end = fault
                return payloads
            if length == 126:
                stop = at + 4
                if stop > end:
                    break
                length = (data[at + 2] << 8) | data[at + 3]
                if length < 126:
                    self.end = INVALID
                    return payloads
            elif length == 127:
                stop = at + 10
                if stop > end:
                    break
                length = int.from_bytes(data[at + 2 : stop], "big")
                if length < 65536:
                    self.end = INVALID
                    return payloads
            if length > self._max_bytes or not (is_whole or self._has_room(first, length)):
                self.end = TOO_BIG
                return payloads
            body = stop
            stop += length
            if stop > end:
                break
            payload = data[body:stop]
            at = stop
            if not is_whole:
                self._take(first, payload, payloads, replies)
                if self.end is not None:
                    return payloads
            elif payload.isascii() or first != _FIN_TEXT or _is_utf8(payload):
                payloads.append(payload)
            else:
                self.end = NOT_UTF8
                return payloads
        if at < end:
            self._waiting = bytearray(data[at:])
            self._missing = stop - end
        return payloads

    @property
    def held_bytes(self) -> int:
        """Return the size of what waits for its end: a frame's beginning and a message's."""
        waiting, message = self._waiting, self._message
        return (0 if waiting is None else len(waiting)) + (0 if message is None else len(message))

    def _fault(self, first: int, second: int) -> str | None:
        """Return what is wrong with a frame that begins with these two bytes."""
        if second > 127:
            return MASKED
        if first & _CONTROL:
            return None if first in _CONTROLS and second <= 125 else INVALID
        allowed = _FIN
        if self._message is None:
            allowed |= TEXT if first & TEXT else BINARY
            if self._inflater is not None:
                allowed |= _COMPRESSED
            if not first & (TEXT | BINARY):
                return INVALID
        return INVALID if first & ~allowed else None

    def _has_room(self, first: int, length: int) -> bool:
        so_far = 0 if self._message is None or first & _CONTROL else len(self._message)
        return so_far + length <= self._max_bytes

    def _take(
        self, first: int, payload: bytes, payloads: list[bytes], replies: list[bytes]
    ) -> None:
        """Take in a complete frame that is not a message of its own, or a compressed one."""
        if first == _FIN | PING:
            replies.append(masked_frame(payload, PONG))
        elif first == _FIN | CLOSE:
            self._take_close(payload, replies)
        elif first == _FIN | PONG:
            self.pongs += 1
        else:
            self._take_part(first, payload, payloads)

    def framed(self, payload: bytes, *, is_binary: bool) -> bytes:
        """Return one message as it is sent."""
        return masked_frame(payload, BINARY if is_binary else TEXT)

    def _take_part(self, first: int, part: bytes, payloads: list[bytes]) -> None:
        if self._message is None:
            self._message, self._fragments, self._opener = bytearray(), 0, first
            self._arrived = 0
        self._fragments += 1
        is_last = bool(first & _FIN)
        if self._opener & _COMPRESSED:
            assert self._inflater is not None
            self._arrived += len(part)
            most = max(_HARMLESS_BYTES, MOST_INFLATION * self._arrived)
            room = min(self._max_bytes, most) - len(self._message)
            try:
                part = self._inflater.inflated(part, room, is_last=is_last)
            except zlib.error:
                self.end = INVALID
                return
            if most < self._max_bytes and len(part) > room:
                self.end = INFLATES
                return
        self._message += part
        if len(self._message) > self._max_bytes:
            self.end = TOO_BIG
        elif self._fragments > MAX_FRAGMENTS:
            self.end = TOO_MANY_FRAGMENTS
        elif is_last:
            message, self._message = bytes(self._message), None
            if self._opener & TEXT and not _is_utf8(message):
                self.end = NOT_UTF8
            else:
                payloads.append(message)

    def _take_close(self, payload: bytes, replies: list[bytes]) -> None:
        judge = Connection(ConnectionType.CLIENT)
        judge.receive_data(bytes((_FIN | CLOSE, len(payload))) + payload)
        event = next(judge.events())
        assert isinstance(event, CloseConnection)
        if judge.state is ConnectionState.REMOTE_CLOSING:
            replies.append(bytes(judge.send(event.response())))
            self.end = CLOSED
            self.closing = int(event.code), event.reason or ""
        else:  # What wsproto gives is then the close that we should send.
            self.end = INVALID


def closing_text(code: int, reason: str) -> str:
    """Return what a close frame says, in one line."""
    said = printable(reason, MOST_REASON).replace("; ", ", ")
    return f"closed with {code} {said!r}" if said else f"closed with {code} without a reason"


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
