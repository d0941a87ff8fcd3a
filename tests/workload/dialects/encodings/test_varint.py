"""Lengths in seven bits a byte."""

import pytest

from capacity.workload.dialects.encodings.varint import varint, varint_at


@pytest.mark.parametrize("value", [0, 127, 128, 16_383, 16_384, 2**35 - 1])
def test_what_is_written_is_read_again(value):
    written = varint(value)

    assert (value, len(written) + 1) == varint_at(b"x" + written + b"y", 1)


def test_the_bytes_are_those_of_the_specification():
    assert (b"\x7f", b"\x80\x01", b"\xff\xff\xff\x7f") == tuple(
        varint(value) for value in (127, 128, 268_435_455)
    )


def test_what_is_cut_or_too_long_is_none():
    assert (-1, 0) == varint_at(b"", 0)
    assert (-1, 0) == varint_at(b"\x80", 0)
    assert (-1, 0) == varint_at(b"\x80\x80\x80\x80\x80\x01", 0)
