"""Compressed messages, and those that inflate beyond what a message may be."""

import os
import runpy
import zlib
from pathlib import Path

import pytest

from capacity.loadgen.wire.compression import Deflate, Inflater
from capacity.loadgen.wire.frames import (
    INFLATES,
    INVALID,
    NOT_UTF8,
    TOO_BIG,
)

FRAMES = runpy.run_path(str(Path(__file__).with_name("frame_streams.py")))
LIMIT, PING, TEXT = FRAMES["LIMIT"], FRAMES["PING"], FRAMES["TEXT"]
COMPRESSED_TEXT, framed, read = FRAMES["COMPRESSED_TEXT"], FRAMES["framed"], FRAMES["read"]


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


@pytest.mark.parametrize(("size", "reason"), [(1000, None), (1001, TOO_BIG)])
def test_the_limit_holds_for_all_fragments_of_a_compressed_message_together(size, reason):
    packer = zlib.compressobj(wbits=-15)
    first = packer.compress(bytes(600)) + packer.flush(zlib.Z_SYNC_FLUSH)
    last = (packer.compress(bytes(size - 600)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    stream = framed(0x42, first) + framed(0x80, last)
    reader, payloads, _replies = read(stream, limit=1000, inflater=Inflater(Deflate()))

    assert reason == reader.end
    assert ([] if reason else [bytes(size)]) == payloads


def deflated(content):
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize(
    ("limit", "end"), [((1 << 20) - 1, TOO_BIG), (1 << 20, TOO_BIG), ((1 << 20) + 1, INFLATES)]
)
def test_the_smaller_limit_is_the_one_that_is_named(limit, end):
    stream = framed(0xC2, deflated(bytes(1 << 21)))

    assert end == read(stream, limit=limit, inflater=Inflater(Deflate()))[0].end


@pytest.mark.parametrize(("factor", "end"), [(99, None), (101, INFLATES)])
def test_beyond_a_mebibyte_a_message_becomes_a_hundred_times_what_came_at_most(factor, end):
    random_bytes = os.urandom(20_000)
    packed = deflated(random_bytes + bytes(2_100_000))
    content = random_bytes + bytes(2_100_000)
    while len(content) > factor * len(packed):
        content = content[: factor * len(packed)]
        packed = deflated(content)
    while len(content) < factor * len(packed):
        content += bytes(factor * len(packed) - len(content))
        packed = deflated(content)
    reader, payloads, _replies = read(
        framed(0xC2, packed), limit=16 << 20, inflater=Inflater(Deflate())
    )

    assert end == reader.end
    assert ([content] if end is None else []) == payloads


@pytest.mark.parametrize(("more", "end"), [(0, None), (1, INFLATES)])
def test_a_mebibyte_of_a_few_bytes_is_the_most_for_all_fragments_of_a_message(more, end):
    packer = zlib.compressobj(wbits=-15)
    first = packer.compress(bytes(600_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
    rest = packer.compress(bytes((1 << 20) - 600_000 + more)) + packer.flush(zlib.Z_SYNC_FLUSH)
    stream = framed(0x42, first) + framed(0x80, rest[:-4])

    assert end == read(stream, limit=16 << 20, inflater=Inflater(Deflate()))[0].end


def test_what_came_of_a_compressed_message_counts_from_its_own_beginning():
    stream = framed(0xC2, deflated(os.urandom(1 << 19))) + framed(0xC2, deflated(bytes(2 << 20)))
    reader, payloads, _replies = read(stream, limit=16 << 20, inflater=Inflater(Deflate()))

    assert (INFLATES, 1) == (reader.end, len(payloads))
