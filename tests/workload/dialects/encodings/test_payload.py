"""What is within a WebSocket message."""

import gzip
import json
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.workload.dialects.encodings.payload import (
    Messages,
    entries_of,
    envelope_of,
    hint_for,
    looks_packed,
    missing_library,
    readable,
    what_is_no_json,
)

MOST_BYTES = 1000
DIVIDERS = ("newline", "record_separator", "nul", "length_u32", "length_varint")


def bare_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "deflate": bare_deflate,
    "brotli": brotli.compress,
}


def envelope(**settings):
    return envelope_of(Messages(**settings), MOST_BYTES)


@pytest.mark.parametrize("packing", PACKERS)
def test_a_packed_message_is_unpacked(packing):
    assert envelope(packing=packing).messages(PACKERS[packing](b'{"a":1}')) == (b'{"a":1}',)


@pytest.mark.parametrize("packing", PACKERS)
def test_what_comes_unpacked_is_read_as_it_is(packing):
    assert envelope(packing=packing).messages(b'{"a":1}') == (b'{"a":1}',)


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize(("size", "is_read"), [(MOST_BYTES, True), (MOST_BYTES + 1, False)])
def test_no_message_unpacks_to_more_than_its_limit(packing, size, is_read):
    packed = PACKERS[packing](b"x" * size)

    assert envelope(packing=packing).messages(packed) == ((b"x" * size,) if is_read else (packed,))


def test_a_bomb_is_not_unpacked_beyond_the_limit():
    bomb = gzip.compress(bytes(50_000_000))

    assert envelope(packing="gzip").messages(bomb) == (bomb,)


@pytest.mark.parametrize("packing", ["gzip", "zlib", "deflate"])
def test_members_one_behind_the_other_are_one_message(packing):
    packed = PACKERS[packing](b'{"a":') + PACKERS[packing](b"1}")

    assert envelope(packing=packing).messages(packed) == (b'{"a":1}',)


@pytest.mark.parametrize("packing", PACKERS)
def test_what_is_cut_is_handed_on_as_it_came(packing):
    cut = PACKERS[packing](b'{"a":' + b"1" * 100 + b"}")[:-3]

    assert envelope(packing=packing).messages(cut) == (cut,)


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1), st.sampled_from(DIVIDERS[3:]))
def test_lengths_divide_any_messages_as_they_are_written(messages, divider):
    wrapped = envelope(divider=divider)

    assert wrapped.messages(b"".join(map(wrapped.wrapped, messages))) == messages


@pytest.mark.parametrize(
    ("divider", "end"), [("newline", b"\n"), ("record_separator", b"\x1e"), ("nul", b"\0")]
)
def test_messages_that_share_a_frame_are_told_apart(divider, end):
    wrapped = envelope(divider=divider)

    assert wrapped.messages(b'{"a":1}' + end + b'{"b":2}' + end) == [b'{"a":1}', b'{"b":2}']
    assert wrapped.messages(b'{"a":1}') == [b'{"a":1}']
    assert wrapped.messages(end) == [end]


def test_newlines_stand_between_messages_and_other_ends_behind_each():
    ends = {name: envelope(divider=name).wrapped(b"{}") for name in DIVIDERS}

    assert ends == {
        "newline": b"{}",
        "record_separator": b"{}\x1e",
        "nul": b"{}\0",
        "length_u32": b"\0\0\0\2{}",
        "length_varint": b"\2{}",
    }


def test_a_text_that_a_rule_waits_for_may_be_written_with_its_end():
    assert envelope(divider="record_separator").text(b"{}\x1e") == b"{}"
    assert envelope(divider="length_u32").text(b"{}\x1e") == b"{}\x1e"


@pytest.mark.parametrize("rest", [b"\0\0", b"\0\0\0\x09{}", b"\xff" * 9])
@pytest.mark.parametrize("divider", DIVIDERS[3:])
def test_a_length_that_does_not_fit_hands_on_what_is_left(divider, rest):
    wrapped = envelope(divider=divider)
    parts = wrapped.messages(wrapped.wrapped(b'{"a":1}') + rest)

    assert parts[0] == b'{"a":1}'
    assert sum(map(len, parts)) <= 7 + len(rest)


def test_messages_may_be_packed_and_divided():
    assert envelope(packing="gzip", divider="newline").messages(gzip.compress(b"1\n2")) == [
        b"1",
        b"2",
    ]


@given(st.binary(max_size=200), st.sampled_from(list(PACKERS)), st.sampled_from(DIVIDERS))
def test_nothing_that_comes_raises(payload, packing, divider):
    assert envelope(packing=packing, divider=divider).messages(payload)


def test_plain_messages_have_no_envelope():
    assert envelope() is None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (gzip.compress(b"{}", mtime=0), "packed by gzip (messages.packing of the dialect)"),
        (zlib.compress(b"{}", 9), "packed by zlib (messages.packing of the dialect)"),
        (b"\x28\xb5\x2f\xfd\0", "packed by zstd (messages.packing of the dialect)"),
        (b'{"a":NaN}', "NaN or Infinity is no JSON (RFC 8259, section 6)"),
        (b"[-Infinity]", "NaN or Infinity is no JSON (RFC 8259, section 6)"),
        (b'{"a":NaN', "not JSON"),
        (b'{"a":1}\n{"a":2}', "divided by newline (messages.divider of the dialect)"),
        (b"{}\x1e", "divided by record_separator (messages.divider of the dialect)"),
        (b"{}\0", "divided by nul (messages.divider of the dialect)"),
        (b'{"a":\n1', "not JSON"),
        (b"ping", "not JSON"),
    ],
)
def test_what_is_no_json_is_told_by_what_it_is(payload, reason):
    assert what_is_no_json(payload) == reason


def test_only_what_begins_like_a_packing_looks_packed():
    assert looks_packed(b"\x1f\x8c") is None
    assert looks_packed(b"xyz") is None
    assert looks_packed(zlib.compress(b"x")) == "zlib"


def test_a_library_that_is_not_here_is_named():
    assert missing_library("gzip") is None
    assert missing_library("brotli") is None
    assert missing_library("zstd") in {None, "zstandard"}


@pytest.mark.parametrize(
    ("path", "frame", "entries"),
    [
        ("$", [1, 2], [1, 2]),
        ("$", {"a": 1}, [{"a": 1}]),
        ("events", {"events": [1, 2]}, [1, 2]),
        ("events", {"other": 1}, [{"other": 1}]),
        ("a.b", json.loads('{"a":{"b":[]}}'), []),
    ],
)
def test_a_list_is_read_as_messages_of_their_own(path, frame, entries):
    assert list(entries_of(path)(frame)) == entries


@pytest.mark.parametrize(
    ("payload", "helps"),
    [
        (b'{"seq":1,"ts":17', "begins as JSON and is none"),
        (b"\x01\x02\xff\xfe\x00", "messages.content: opaque"),
        (b"TICK BTC 1.5", "messages.pattern"),
    ],
)
def test_what_nothing_reads_has_a_hint_by_how_it_begins(payload, helps):
    assert helps in hint_for(payload)


def test_what_is_json_or_empty_has_no_hint():
    assert hint_for(b'{"a":1}') is None
    assert hint_for(b" ") is None


def test_what_looks_packed_is_unpacked_to_be_read():
    assert readable(gzip.compress(b"text")) == b"text"
    assert readable(zlib.compress(b"text")) == b"text"
    assert readable(gzip.compress(b"text")[:-3]) == gzip.compress(b"text")[:-3]
    assert readable(b"plain") == b"plain"
