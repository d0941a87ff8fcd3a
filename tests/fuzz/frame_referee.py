"""Our frame reader beside wsproto: the same messages, pongs and end, or a disagreement with its reason.

wsproto has no size limit, reads text and compressed data before their frame is whole, and two defects in
permessage-deflate. What comes of that, and nothing else, is allowed: ALLOWED.
"""

import itertools
from dataclasses import dataclass, field

from streams import LIMIT, Stream
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Message, Ping, Pong
from wsproto.extensions import PerMessageDeflate

from capacity.loadgen.wire.compression import Inflater
from capacity.loadgen.wire.frames import (
    CLOSED,
    INVALID,
    MASKED,
    NOT_UTF8,
    TOO_BIG,
    FrameReader,
)

ALLOWED = {
    "too big": "wsproto has no limit for a message; ours ends at max_message_bytes, by the announced "
    "length already",
    "header": "ours refuses a frame by its first two bytes; wsproto waits for the rest of the header, "
    "and refuses it then",
    "text ahead": "wsproto decodes text as it arrives; ours checks a whole message, so that it "
    "stops later, or for what came in between",
    "inflated ahead": "wsproto inflates what has come of a frame; ours a frame that is whole, so "
    "that it stops later",
    "final block": "wsproto drops what a message has behind its final deflate block; ours refuses all but "
    "the octet of RFC 7692, 7.2.3.4",
    "close not UTF-8": "a reason of a close frame that is no UTF-8 is frame_invalid for ours, which keeps "
    "text_not_utf8 for messages",
}
"""DisagreementError -> why ours is as it should be. Each is looked into before it is allowed."""
BROKEN = {INVALID, MASKED, NOT_UTF8, TOO_BIG}


class DisagreementError(Exception):
    """The two readers differ, and nothing in ALLOWED says why."""


class MendedDeflate(PerMessageDeflate):
    """wsproto's without two defects: it forgets in a control frame that the message around it is
    compressed, and inflates nothing more on a connection after a final block.
    """

    def __init__(self, terms):
        super().__init__(
            server_max_window_bits=terms.window_bits,
            server_no_context_takeover=not terms.keeps_context,
        )
        self._enabled = True
        self._before = None
        self.has_more = False
        """A message went on behind its final block."""

    def frame_inbound_header(self, proto, opcode, rsv, payload_length):
        if opcode.iscontrol():
            self._before = self._inbound_compressed
        return super().frame_inbound_header(proto, opcode, rsv, payload_length)

    def frame_inbound_payload_data(self, proto, data):
        found = super().frame_inbound_payload_data(proto, data)
        self._note(self._decompressor, b"")
        return found

    def frame_inbound_complete(self, proto, fin):
        if not self._inbound_is_compressible:
            self._inbound_compressed = self._before
            return None
        stream = self._decompressor if fin and self._inbound_compressed else None
        found = super().frame_inbound_complete(proto, fin)
        self._note(stream, b"\x00\x00\xff\xff")
        if stream is not None and stream.eof:
            self._decompressor = None
        return found

    def _note(self, stream, end):
        if stream is not None and stream.eof:
            self.has_more |= stream.unused_data.removesuffix(end) not in {b"", b"\x00"}


@dataclass
class Reading:
    """What a reader makes of a stream."""

    payloads: list[bytes] = field(default_factory=list)
    pings: list[bytes] = field(default_factory=list)
    end: str | None = None
    closing: tuple[int, str] | None = None
    is_waiting: bool = False
    """In the midst of a frame or a message."""


class Judge:
    """wsproto alone, fed everything at once, with the size limit that it lacks."""

    def __init__(self, terms):
        self.read = Reading()
        self.deflate = None if terms is None else MendedDeflate(terms)
        self._connection = Connection(
            ConnectionType.CLIENT, [] if self.deflate is None else [self.deflate]
        )
        self._parts, self._size = [], 0

    def feed(self, data):
        read, connection = self.read, self._connection
        connection.receive_data(data)
        for event in connection.events():
            if isinstance(event, Message):
                part = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
                self._parts.append(part)
                self._size += len(part)
                if self._size > LIMIT:
                    read.end = TOO_BIG
                elif event.message_finished:
                    read.payloads.append(b"".join(self._parts))
                    self._parts, self._size = [], 0
            elif isinstance(event, Ping):
                read.pings.append(bytes(event.payload))
            elif isinstance(event, CloseConnection):
                if connection.state is ConnectionState.REMOTE_CLOSING:
                    read.end, read.closing = CLOSED, (int(event.code), event.reason or "")
                else:
                    read.end = NOT_UTF8 if event.code == 1007 else INVALID
            if read.end is not None:
                return

    @property
    def announced_bytes(self):
        """What the message has that wsproto is in the midst of, with what its last header announces."""
        header = self._connection._proto._frame_decoder.header
        left = 0
        if header is not None and not header.opcode.iscontrol():
            left = header.payload_len - self._connection._proto._frame_decoder.payload_consumed
        return self._size + left


def ours(stream, cuts):
    """Return what our reader makes of a stream that arrives in pieces, its answers read by a server."""
    reader = FrameReader(LIMIT, None if stream.terms is None else Inflater(stream.terms))
    read, replies, at, data = Reading(), [], 0, bytes(stream.data)
    for size in cuts:
        if reader.end is not None:
            break
        read.payloads += reader.feed(data[at : at + size], replies)
        at += size
    read.end, read.closing = reader.end, reader.closing
    read.is_waiting = reader._waiting is not None or reader._message is not None
    server = Connection(ConnectionType.SERVER)
    server.receive_data(b"".join(replies))
    for event in server.events():
        if isinstance(event, Pong):
            read.pings.append(bytes(event.payload))
        elif not (isinstance(event, CloseConnection) and read.end == CLOSED):
            raise DisagreementError(f"what we answer is for a server {event}")
    return read


def compare(stream: Stream, cuts: list[int]) -> str | None:
    """Return None where the two agree, and else what of ALLOWED they differ by.

    Raises DisagreementError, and whatever our reader raises.
    """
    mine = ours(stream, cuts)
    judge = Judge(stream.terms)
    judge.feed(bytes(stream.data))
    theirs = judge.read
    _against_what_is_known(stream, mine)
    if _same(mine, theirs):
        return None
    if judge.deflate is not None and judge.deflate.has_more:
        return _until_then(mine, theirs)
    if mine.end == TOO_BIG and (theirs.end == TOO_BIG or judge.announced_bytes > LIMIT):
        return _alike(mine, theirs, "too big")
    if theirs.end == NOT_UTF8:
        return _ahead(stream, mine, theirs)
    if theirs.end == TOO_BIG and stream.terms is not None and mine.is_waiting:
        return _alike(mine, theirs, "inflated ahead")
    if theirs.end is None and mine.end in BROKEN:
        judge.feed(bytes(16))
        if judge.read.end in BROKEN:
            return _alike(mine, theirs, "header")
    raise DisagreementError(f"ours {_shown(mine)}, wsproto {_shown(theirs)}")


def _against_what_is_known(stream, mine):
    """What was put in before anything went wrong has to come out, in its order."""
    if stream.damaged_at is None:
        is_right = (mine.payloads, mine.pings) == (stream.payloads, stream.pings)
        is_right &= mine.end == (CLOSED if stream.damage == "closed" else None)
    elif stream.damage in WRITTEN_IN_PLACE:
        return
    else:
        is_right = stream.payloads == mine.payloads[: len(stream.payloads)]
        is_right &= stream.pings == mine.pings[: len(stream.pings)]
    if not is_right:
        raise DisagreementError(f"what is known of the stream did not come out: {_shown(mine)}")


WRITTEN_IN_PLACE = {"bit", "byte", "dropped", "added", "repeated", "cut off"}
"""Damages after which nobody knows what a stream holds."""


def _same(mine, theirs):
    is_broken = (
        mine.end in BROKEN and theirs.end in BROKEN and NOT_UTF8 not in {mine.end, theirs.end}
    )
    return (
        (mine.payloads, mine.pings, mine.closing) == (theirs.payloads, theirs.pings, theirs.closing)
    ) and (mine.end == theirs.end or is_broken)


def _ahead(stream, mine, theirs):
    """The judge has seen what is not UTF-8, or not deflate; ours sees it at the end of what holds it."""
    name = "text ahead" if stream.terms is None else "inflated ahead"
    is_later = mine.end is not None or mine.is_waiting
    # While ours waits for the message's end it answers pings, and wsproto nobody any more.
    is_ahead = theirs.pings == mine.pings[: len(theirs.pings)]
    if mine.payloads == theirs.payloads and is_later and is_ahead:
        if mine.end == INVALID and mine.pings == theirs.pings and stream.damage.startswith("close"):
            return "close not UTF-8"
        return name
    raise DisagreementError(f"ours {_shown(mine)}, wsproto {_shown(theirs)}")


def _until_then(mine, theirs):
    """Ours ends where a message goes on behind its end; wsproto reads on."""
    count = len(mine.payloads)
    if mine.payloads == theirs.payloads[:count] and (mine.end == INVALID or mine.is_waiting):
        return "final block"
    raise DisagreementError(f"final block: ours {_shown(mine)}, wsproto {_shown(theirs)}")


def _alike(mine, theirs, name):
    if (mine.payloads, mine.pings) != (theirs.payloads, theirs.pings):
        raise DisagreementError(f"{name}: ours {_shown(mine)}, wsproto {_shown(theirs)}")
    return name


def _shown(read):
    sizes = [len(payload) for payload in itertools.islice(read.payloads, 200)]
    return f"{read.end}, {read.closing}, {len(read.pings)} pings, payloads of {sizes[-5:]} bytes"
