"""What the reader makes of frames, what it answers, and what ends it."""

import runpy
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection

from capacity.loadgen.wire.frames import (
    CLOSE_FRAME,
    CLOSED,
    INVALID,
    MASKED,
    NOT_UTF8,
    TOO_BIG,
    TOO_MANY_FRAGMENTS,
    FrameReader,
    closing_text,
    masked_frame,
)

FRAMES = runpy.run_path(str(Path(__file__).with_name("frame_streams.py")))
LIMIT, BINARY, CLOSE, PING = FRAMES["LIMIT"], FRAMES["BINARY"], FRAMES["CLOSE"], FRAMES["PING"]
TEXT, COMPRESSED_TEXT, framed = FRAMES["TEXT"], FRAMES["COMPRESSED_TEXT"], FRAMES["framed"]
read, pongs = FRAMES["read"], FRAMES["pongs"]


def test_a_message_is_as_long_as_both_bytes_of_its_length_say():
    """In either byte's own multiple there is room for the fragments of another message behind it."""
    first, rest = b"x" * 0x0102, framed(0x01, b"y" * 125) + framed(0x00, b"z" * 125) + framed(0x00)

    assert len(first + rest) == 0x0202
    assert [first] == read(framed(TEXT, first) + rest)[1]


def test_a_long_read_of_ascii_is_not_taken_for_one_message():
    """Whatever its length would be by a byte that is not its own, or shifted by more or by less."""
    first, rest = b"x" * 0x012C, framed(0x01, b"y" * 0x7C00) + framed(0x00, b"z" * 124) * 2
    stream = framed(TEXT, first) + rest

    for length in (0x042C, 0x7E2C, 0x0100 | ord("x")):
        assert [first] == read(stream[: 4 + length])[1]


@pytest.mark.parametrize("length", range(2, 126))
def test_a_short_message_that_begins_like_a_length_is_read_by_its_own(length):
    """Two bytes that would say how long the whole read is, were they not the message's own."""
    first, fragment = b"\0~" + b"a" * (length - 2), b"b" * (126 - length)

    assert [first] == read(framed(TEXT, first) + framed(0x01, fragment))[1]


@pytest.mark.parametrize("size", [5, 130])
@pytest.mark.parametrize("first", [byte for byte in range(256) if byte & 0x70])
def test_a_reserved_bit_in_any_first_byte_is_a_violation(first, size):
    reader, payloads, _replies = read(framed(first, b"a" * size))

    assert (INVALID, []) == (reader.end, payloads)


@pytest.mark.parametrize("length", range(0x80, 0x100))
def test_a_mask_with_any_length_is_a_violation(length):
    """Also where what follows looks like the length of the read."""
    assert MASKED == read(bytes((TEXT, length, 0, 126)) + b"a" * 126)[0].end


def test_a_message_comes_with_its_last_byte_only():
    stream = framed(TEXT, b"x" * 556)

    assert all(read(stream[:length])[1] == [] for length in range(len(stream)))


@pytest.mark.parametrize("more", [b"", b"\x01"], ids=["one byte less", "one byte more"])
def test_a_message_is_whole_neither_a_byte_earlier_nor_with_a_byte_of_the_next(more):
    text = b"x" * 257
    stream = framed(TEXT, text) + more

    assert [text] == read(stream, [len(stream) - 1] if not more else ())[1]


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


@given(payload=st.one_of(st.binary(max_size=300), st.just(b"x" * 70_000), st.just(b"y" * 200)))
@example(payload=b"a" * 125)
@example(payload=b"a" * 126)
@example(payload=b"a" * 65_535)
@example(payload=b"a" * 65_536)
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
        (4000, "x" * 123, f"closed with 4000 '{'x' * 123}'"),
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


def test_a_message_is_sent_as_what_it_is():
    reader = FrameReader(LIMIT)

    assert [0x81, 0x82] == [reader.framed(b"a", is_binary=each)[0] for each in (False, True)]
    assert [0x89, 0x88] == [reader.ping[0], reader.goodbye[0]]


@pytest.mark.parametrize("reason", ["", "bye"])
def test_a_close_keeps_its_code_and_its_reason(reason):
    reader, _payloads, _replies = read(framed(CLOSE, b"\x03\xe8" + reason.encode()))

    assert (1000, reason) == reader.closing


def test_pongs_are_counted_and_the_longest_ping_is_answered():
    reader, payloads, replies = read(framed(0x8A) + framed(0x8A, b"x") + framed(PING, b"y" * 125))

    assert (2, [], [b"y" * 125]) == (reader.pongs, payloads, pongs(replies))


@pytest.mark.parametrize(("size", "end"), [(1000, None), (1001, TOO_BIG)])
@pytest.mark.parametrize("first", [TEXT, BINARY, 0x01], ids=["text", "binary", "fragment"])
def test_a_frame_may_be_as_long_as_a_message(first, size, end):
    reader, payloads, _replies = read(framed(first, b"a" * size), limit=1000)

    assert end == reader.end
    assert ([b"a" * size] if first != 0x01 and end is None else []) == payloads


def test_a_ping_between_fragments_takes_no_room_from_their_message():
    stream = framed(0x01, b"a" * 1000) + framed(PING, b"p" * 100) + framed(0x80)
    reader, payloads, _replies = read(stream, limit=1000)

    assert (None, [b"a" * 1000]) == (reader.end, payloads)


def test_what_is_held_is_a_frames_beginning_alone_or_a_message_alone():
    reader = FrameReader(LIMIT, None)
    reader.feed(b"\x81\x09ab", [])
    assert 4 == reader.held_bytes

    reader = FrameReader(LIMIT, None)
    reader.feed(b"\x01\x03abc", [])
    assert 3 == reader.held_bytes
