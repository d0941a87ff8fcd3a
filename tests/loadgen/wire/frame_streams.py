"""Frames as a server writes them, and what the reader makes of a stream that is cut anywhere."""

from wsproto.connection import Connection, ConnectionType
from wsproto.events import Pong

from capacity.loadgen.wire.frames import (
    FrameReader,
)

LIMIT = 200_000
TEXT, BINARY, CLOSE, PING = 0x81, 0x82, 0x88, 0x89
COMPRESSED_TEXT = 0xC1


def framed(first, payload=b"", *, extended=None, mask=0):
    """Return a frame; *extended* writes the length in that many bytes, whether fit or not."""
    length = len(payload)
    if extended is None:
        extended = 0 if length < 126 else 2 if length < 65536 else 8
    short = {0: length, 2: 126, 8: 127}[extended]
    return bytes((first, mask | short)) + length.to_bytes(8, "big")[8 - extended :] + payload


def pieces(stream, lengths):
    at = 0
    for length in (*lengths, len(stream)):
        if at < len(stream):
            yield stream[at : at + length]
        at += length


def read(stream, lengths=(), limit=LIMIT, inflater=None):
    """Return the reader, the payloads and the answers."""
    reader, payloads, replies = FrameReader(limit, inflater), [], []
    for piece in pieces(stream, lengths):
        if reader.end is None:
            payloads += reader.feed(piece, replies)
    return reader, payloads, replies


def pongs(replies):
    """Return what the answers carry, as a server reads them; without the answer to a close."""
    server = Connection(ConnectionType.SERVER)
    server.receive_data(b"".join(replies))
    return [bytes(event.payload) for event in server.events() if isinstance(event, Pong)]
