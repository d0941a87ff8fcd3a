"""The reader must agree with wsproto alone on every stream, however it is cut."""

import os
import time
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Message, Ping, Pong

from capacity.loadgen.wire.compression import Deflate, Inflater
from capacity.loadgen.wire.frames import (
    CLOSE_FRAME,
    CLOSED,
    INFLATES,
    INVALID,
    MASKED,
    NOT_UTF8,
    TOO_BIG,
    TOO_MANY_FRAGMENTS,
    FrameReader,
    closing_text,
    masked_frame,
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


def pongs(replies):
    """Return what the answers carry, as a server reads them; without the answer to a close."""
    server = Connection(ConnectionType.SERVER)
    server.receive_data(b"".join(replies))
    return [bytes(event.payload) for event in server.events() if isinstance(event, Pong)]


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


def test_messages_before_a_violation_are_delivered():
    reader, payloads, _replies = read(framed(TEXT, b"good") + framed(0x83) + framed(TEXT, b"late"))

    assert (INVALID, [b"good"]) == (reader.end, payloads)


def test_a_ping_is_answered_with_its_own_payload():
    _reader, _payloads, replies = read(framed(PING, b"abc"))

    assert [b"abc"] == pongs(replies)


def test_a_ping_between_fragments_leaves_the_message_whole():
    stream = framed(0x01, b"a") + framed(PING, b"p") + framed(0x80, b"b")
    _reader, payloads, replies = read(stream)

    assert ([b"ab"], [b"p"]) == (payloads, pongs(replies))


def test_a_close_is_answered_and_ends_the_reading():
    reader, payloads, replies = read(framed(CLOSE, b"\x03\xe8") + framed(TEXT, b"late"))
    server = Connection(ConnectionType.SERVER)
    server.receive_data(b"".join(replies))

    assert (CLOSED, []) == (reader.end, payloads)
    assert 1000 == next(server.events()).code


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes(2 << 20), INFLATES),
        (bytes(1 << 20), None),
        (os.urandom(1 << 19) + bytes(1 << 20), None),
    ],
    ids=["two mebibytes of a few", "one of a few", "more of many"],
)
def test_a_message_that_inflates_out_of_all_proportion_costs_its_connection(content, reason):
    packer = zlib.compressobj(wbits=-15)
    packed = (packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    reader, payloads, _replies = read(
        framed(0xC2, packed), limit=16 << 20, inflater=Inflater(Deflate())
    )

    assert reason == reader.end
    assert ([] if reason else [content]) == payloads


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"\x81\x83abcdefg", MASKED),
        (b"\x81\x7f\x00\x00\x00\x01\x00\x00\x00\x00", TOO_BIG),
        (b"\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00", TOO_BIG),
        (b"\x81\x7e\x00\x7d" + b"a" * 125, INVALID),
        (b"\x91\x01a", INVALID),
        (COMPRESSED_TEXT.to_bytes() + b"\x01a", INVALID),
        (b"\x80\x01a", INVALID),
        (b"\x01\x01a\x81\x01b", INVALID),
        (b"\x83\x01a", INVALID),
        (b"\x09\x01a", INVALID),
        (b"\x89\x7e\x00\x80" + b"a" * 128, INVALID),
        (b"\x88\x01a", INVALID),
        (b"\x88\x02\x03\xed", INVALID),
        (b"\x81\x02\xc3\x28", NOT_UTF8),
        (b"\x01\x01\xc3\x80\x01\x28", NOT_UTF8),
    ],
    ids=[
        "masked",
        "too big",
        "2^63",
        "longer length than needed",
        "reserved bit",
        "compressed unasked",
        "continuation first",
        "message within a message",
        "opcode",
        "fragmented control",
        "long control",
        "close of one byte",
        "close code 1005",
        "not UTF-8",
        "not UTF-8 over a border",
    ],
)
def test_a_violation_is_named(stream, reason):
    assert reason == read(stream, limit=1024)[0].end


def test_a_bad_header_is_refused_before_its_body_comes():
    assert INVALID == read(b"\x83\x7f")[0].end
    assert TOO_BIG == read(b"\x82\x7f" + LIMIT.to_bytes(7, "big") + b"\x01")[0].end


def test_fragments_meet_the_size_limit_together():
    stream = framed(0x01, b"a" * 500) + framed(0x00, b"a" * 501)

    assert TOO_BIG == read(stream, limit=1000)[0].end
    assert None is read(stream, limit=1001)[0].end


def test_fragments_without_end_meet_a_limit_even_when_empty():
    stream = framed(0x01) + framed(0x00) * 65_536

    assert None is read(stream[:-2])[0].end
    assert TOO_MANY_FRAGMENTS == read(stream)[0].end


def cost_s(stream, length):
    """Return the least processor time of a few to read *stream* cut in pieces."""
    lengths = [length] * (len(stream) // length)
    times_s = []
    for _ in range(3):
        started_s = time.thread_time()
        read(stream, lengths, limit=1 << 25)
        times_s.append(time.thread_time() - started_s)
    return min(times_s)


@pytest.mark.parametrize(
    "stream",
    [
        lambda size: framed(TEXT, b"x" * size),
        lambda size: framed(0x02) + framed(0x00, b"x") * (size // 300),
        lambda size: framed(0x02) + framed(0x00) * (size // 300),
    ],
    ids=["one message in many reads", "fragments of one byte", "empty fragments"],
)
def test_cost_grows_with_the_bytes_not_with_their_square(stream):
    small_s, large_s = (cost_s(stream(size), 1000) for size in (1 << 20, 1 << 24))

    assert large_s < 16 * 4 * max(small_s, 0.005)


def test_compressed_messages_come_out_as_they_went_in_among_others():
    packer = zlib.compressobj(wbits=-15)

    def packed(content):
        return (packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]

    one, two = packed(b'{"price": 1}' * 20), packed('{"price": "é"}'.encode() * 20)
    stream = (
        framed(COMPRESSED_TEXT, one)
        + framed(TEXT, b"plain")
        + framed(0x41, two[:5])
        + framed(PING)
        + framed(0x80, two[5:])
    )
    for length in (1, 7, 4096):
        lengths = [length] * len(stream)
        _reader, payloads, _replies = read(stream, lengths, inflater=Inflater(Deflate()))
        expected = [b'{"price": 1}' * 20, b"plain", '{"price": "é"}'.encode() * 20]

        assert expected == payloads


def test_a_compression_bomb_meets_the_size_limit():
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(bytes(50_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)

    assert len(bomb) < LIMIT
    assert TOO_BIG == read(framed(0xC2, bomb[:-4]), inflater=Inflater(Deflate()))[0].end


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (framed(COMPRESSED_TEXT, b"\xff\xff\xff"), INVALID),
        (framed(COMPRESSED_TEXT, b"\x03\x00" * 3), INVALID),
        (framed(0x41, b"\x00") + framed(0xC0, b"\x00"), INVALID),
        (framed(0xC9), INVALID),
        (framed(0xE1), INVALID),
        (framed(COMPRESSED_TEXT, zlib.compress(b"\xff\xfe", wbits=-15)), NOT_UTF8),
    ],
    ids=["junk", "final blocks", "bit on a continuation", "on a ping", "second bit", "not UTF-8"],
)
def test_bad_compression_is_named(stream, reason):
    assert reason == read(stream, inflater=Inflater(Deflate()))[0].end


@given(payload=st.one_of(st.binary(max_size=300), st.just(b"x" * 70_000), st.just(b"y" * 200)))
def test_a_server_unmasks_what_was_masked(payload):
    server = Connection(ConnectionType.SERVER)
    server.receive_data(masked_frame(payload, opcode=0x2))

    assert payload == b"".join(bytes(event.data) for event in server.events())


def test_the_close_frame_says_normal_closure():
    server = Connection(ConnectionType.SERVER)
    server.receive_data(CLOSE_FRAME)
    event = next(server.events())

    assert isinstance(event, CloseConnection)
    assert 1000 == event.code


@pytest.mark.parametrize(
    ("code", "reason", "text"),
    [
        (1008, "Too many; wait", "closed with 1008 'Too many, wait'"),
        (1000, "", "closed with 1000 without a reason"),
        (4000, "\x1b[2J", "closed with 4000 '\ufffd[2J'"),
    ],
)
def test_a_close_is_told_in_one_line(code, reason, text):
    assert text == closing_text(code, reason)


def test_what_waits_for_its_end_is_held_and_nothing_else_is():
    reader = FrameReader(LIMIT, None)
    assert 0 == reader.held_bytes

    reader.feed(framed(TEXT, b"all"), [])
    assert 0 == reader.held_bytes

    reader.feed(b"\x01\x03abc" + b"\x80\x02d", [])
    assert 3 + 3 == reader.held_bytes


@pytest.mark.parametrize(("size", "reason"), [(1000, None), (1001, TOO_BIG)])
def test_the_limit_holds_for_all_fragments_of_a_compressed_message_together(size, reason):
    packer = zlib.compressobj(wbits=-15)
    first = packer.compress(bytes(600)) + packer.flush(zlib.Z_SYNC_FLUSH)
    last = (packer.compress(bytes(size - 600)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    stream = framed(0x42, first) + framed(0x80, last)
    reader, payloads, _replies = read(stream, limit=1000, inflater=Inflater(Deflate()))

    assert reason == reader.end
    assert ([] if reason else [bytes(size)]) == payloads
