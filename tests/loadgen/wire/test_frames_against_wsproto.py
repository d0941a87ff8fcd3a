"""Our reader and wsproto are fed the same streams, however cut, and agree."""

import runpy
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Message, Ping

from capacity.loadgen.wire.compression import Deflate, Inflater
from capacity.loadgen.wire.frames import (
    CLOSED,
    INVALID,
    MASKED,
    NOT_UTF8,
    TOO_BIG,
)

FRAMES = runpy.run_path(str(Path(__file__).with_name("frame_streams.py")))
LIMIT, BINARY, CLOSE, PING = FRAMES["LIMIT"], FRAMES["BINARY"], FRAMES["CLOSE"], FRAMES["PING"]
TEXT, framed, read, pongs = FRAMES["TEXT"], FRAMES["framed"], FRAMES["read"], FRAMES["pongs"]


firsts = st.one_of(
    st.sampled_from((TEXT, BINARY, 0x01, 0x02, 0x00, 0x80, CLOSE, PING, 0x8A)), st.integers(0, 255)
)
texts = st.text(max_size=80).map(str.encode)
contents = st.one_of(
    texts,
    st.binary(max_size=150),
    st.sampled_from((b"a" * 125, b"b" * 126, b"c" * 65535, "é".encode() * 40_000)),
)
closes = st.builds(
    lambda code, why: framed(CLOSE, code.to_bytes(2, "big") + why),
    st.one_of(st.integers(0, 65535), st.sampled_from((1000, 1001, 1005, 1006, 1012, 1015, 2999))),
    st.one_of(st.text(max_size=20).map(str.encode), st.binary(max_size=20)),
)
valid = st.one_of(
    st.builds(framed, st.just(TEXT), texts),
    st.builds(framed, st.just(BINARY), contents),
    st.builds(framed, st.sampled_from((PING, 0x8A)), st.binary(max_size=125)),
    # A character may be cut by the fragments' border.
    st.tuples(texts, st.binary(max_size=5), st.integers(0, 20)).map(
        lambda drawn: (
            framed(0x01, drawn[0][: drawn[2]])
            + framed(PING, drawn[1])
            + framed(0x00)
            + framed(0x80, drawn[0][drawn[2] :])
        )
    ),
)
anything = st.one_of(
    st.builds(framed, firsts, contents),
    st.builds(
        framed, firsts, contents.filter(lambda content: len(content) < 65536), extended=st.just(2)
    ),
    st.builds(framed, firsts, contents, extended=st.just(8)),
    st.builds(framed, firsts, st.binary(max_size=100), mask=st.just(0x80)),
    st.builds(
        lambda first, length: bytes((first, 127)) + length.to_bytes(8, "big"),
        firsts,
        st.sampled_from((0, 65535, LIMIT, LIMIT + 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)),
    ),
    closes,
    st.binary(max_size=40),
)
streams = st.builds(
    lambda good, frames: b"".join((*good, *frames)),
    st.lists(valid, max_size=6),
    st.lists(st.one_of(valid, anything), max_size=4),
)
cuts = st.lists(st.one_of(st.integers(1, 12), st.integers(1, 70_000)), max_size=30)


class Judge:
    """wsproto alone, fed everything at once, with the size limit that it lacks."""

    def __init__(self, stream):
        self.payloads, self.replies = [], []
        self.end = None
        self._connection = Connection(ConnectionType.CLIENT)
        self._message = b""
        self.feed(stream)

    def feed(self, stream):
        connection = self._connection
        connection.receive_data(stream)
        for event in connection.events():
            if self.end is not None:
                return
            if isinstance(event, Message):
                is_text = isinstance(event.data, str)
                self._message += event.data.encode() if is_text else bytes(event.data)
                if len(self._message) > LIMIT:
                    self.end = TOO_BIG
                elif event.message_finished:
                    self.payloads.append(self._message)
                    self._message = b""
            elif isinstance(event, Ping):
                self.replies.append(bytes(event.payload))
            elif isinstance(event, CloseConnection):
                is_close = connection.state is ConnectionState.REMOTE_CLOSING
                self.end = CLOSED if is_close else NOT_UTF8 if event.code == 1007 else INVALID


@given(stream=streams, lengths=cuts)
@example(stream=framed(TEXT, b"good") + framed(0x83), lengths=[])
@example(stream=framed(0x01, b"\xc3") + framed(0x80, b"\xa9"), lengths=[1, 1, 1])
@example(stream=framed(0x01, b"\xff") + framed(PING) + framed(0x80), lengths=[])
@example(stream=framed(TEXT, b"\xed\xa0\x80"), lengths=[])
@example(stream=framed(TEXT, b"a", extended=2), lengths=[])
def test_the_reader_and_wsproto_agree_on_every_stream_however_cut(stream, lengths):
    reader, payloads, replies = read(stream, lengths)
    judge = Judge(stream)
    violations = {INVALID, MASKED, NOT_UTF8, TOO_BIG}
    if judge.end == NOT_UTF8:
        # wsproto decodes while it reads; the reader looks at complete messages, so perhaps later.
        assert reader.end is not None or reader._message is not None or reader._waiting is not None
        assert judge.payloads == payloads
        assert judge.replies == pongs(replies)[: len(judge.replies)]
        return
    if judge.end is None and reader.end is not None:
        # The reader decides by a header's first bytes, or by the length that it announces.
        assert reader.end in violations
        if reader.end != TOO_BIG:
            judge.feed(bytes(16))
            assert judge.end in violations
    else:
        assert (judge.end in violations) == (reader.end in violations)
        assert (judge.end == CLOSED) == (reader.end == CLOSED)

    assert judge.payloads == payloads
    assert judge.replies == pongs(replies)


@given(stream=streams, lengths=cuts)
def test_where_a_stream_is_cut_makes_no_difference(stream, lengths):
    whole, all_payloads, _replies = read(stream)
    cut, payloads, _replies = read(stream, lengths)

    assert (whole.end, all_payloads) == (cut.end, payloads)


@given(junk=st.binary(max_size=400), lengths=cuts)
def test_junk_ends_in_messages_or_a_reason_never_in_an_exception(junk, lengths):
    inflater = Inflater(Deflate())
    reader, payloads, _replies = read(junk, lengths, limit=1024, inflater=inflater)

    assert all(len(payload) <= 1024 for payload in payloads)
    assert reader.end in {None, CLOSED, INVALID, MASKED, NOT_UTF8, TOO_BIG}
