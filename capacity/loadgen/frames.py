"""WebSocket frames of the client's side (RFC 6455), without a socket.

The common frame (complete, unfragmented, unmasked text or binary) takes a short path here;
everything else (control frames, fragments, violations) goes to wsproto, frame by frame.
"""

import os
from collections.abc import Sequence
from typing import Any

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Message, Ping
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

TEXT = 0x1
CLOSE = 0x8
_FIN_TEXT = 0x81
_FIN_BINARY = 0x82


class FrameError(Exception):
    """The server broke the protocol or the size limit; the message is the failure's reason."""


class FrameReader:
    """Cuts a byte stream into message payloads and answers what the protocol demands."""

    __slots__ = ("_buffer", "_fragments", "_max_bytes", "_slow", "closed")

    def __init__(self, max_bytes: int) -> None:
        self._buffer = b""
        self._max_bytes = max_bytes
        self._slow: Connection | None = None
        self._fragments: list[bytes] | None = None
        self.closed = False
        """The server sent a close frame; feed nothing more."""

    def feed(self, data: bytes, replies: list[bytes]) -> Sequence[bytes]:
        """Return the payloads that *data* completes; append pongs and closes to *replies*.

        Raises FrameError on a violation; the connection is then of no more use.
        """
        buffer = self._buffer + data if self._buffer else data
        end = len(buffer)
        at = 0
        payloads: list[bytes] = []
        while end - at >= 2 and not self.closed:
            length = buffer[at + 1]  # A server must not mask: bit 7 clear.
            body = at + 2
            if length == 126:
                if end - at < 4:
                    break
                length = (buffer[at + 2] << 8) | buffer[at + 3]
                body = at + 4
            elif length == 127:
                if end - at < 10:
                    break
                length = int.from_bytes(buffer[at + 2 : at + 10], "big")
                body = at + 10
            elif length > 127:
                raise FrameError("frame_masked")
            if length > self._max_bytes:
                raise FrameError("message_too_big")
            stop = body + length
            if stop > end:
                break
            if buffer[at] in (_FIN_TEXT, _FIN_BINARY) and self._fragments is None:
                payloads.append(buffer[body:stop])
            else:
                self._feed_slow(buffer[at:stop], payloads, replies)
            at = stop
        self._buffer = buffer[at:]
        return payloads

    def _feed_slow(self, frame: bytes, payloads: list[bytes], replies: list[bytes]) -> None:
        if self._slow is None:
            self._slow = Connection(ConnectionType.CLIENT)
        try:
            self._slow.receive_data(frame)
            events = list(self._slow.events())
        except (RemoteProtocolError, LocalProtocolError):
            raise FrameError("frame_invalid") from None
        for event in events:
            if isinstance(event, Message):
                self._add_fragment(event, payloads)
            elif isinstance(event, Ping):
                replies.append(self._slow.send(event.response()))
            elif isinstance(event, CloseConnection):
                self.closed = True
                if frame[0] & 0x0F != CLOSE:
                    # wsproto reports the peer's violation as the close that we should send.
                    raise FrameError("frame_invalid")
                replies.append(self._slow.send(event.response()))

    def _add_fragment(self, event: Message[Any], payloads: list[bytes]) -> None:
        fragments = self._fragments or []
        data = event.data
        fragments.append(data.encode() if isinstance(data, str) else bytes(data))
        if sum(map(len, fragments)) > self._max_bytes:
            raise FrameError("message_too_big")
        if event.message_finished:
            payloads.append(b"".join(fragments))
            self._fragments = None
        else:
            self._fragments = fragments


def masked_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return one complete client frame around *payload*, masked as RFC 6455 §5.3 demands."""
    length = len(payload)
    if length < 126:
        header = bytes((0x80 | opcode, 0x80 | length))
    elif length < 65536:
        header = bytes((0x80 | opcode, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        header = bytes((0x80 | opcode, 0x80 | 127)) + length.to_bytes(8, "big")
    mask = os.urandom(4)
    repeated = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return header + mask + masked.to_bytes(length, "big")


CLOSE_FRAME = masked_frame((1000).to_bytes(2, "big"), opcode=CLOSE)
