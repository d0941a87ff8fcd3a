"""Answers of the kernel as bytes: where their messages begin and end, and how many there are."""

import runpy
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.monitor.host import socket_messages

MESSAGES = runpy.run_path(str(Path(__file__).with_name("made_up_messages.py")))
attribute, told = MESSAGES["attribute"], MESSAGES["told"]


def message(kind, length):
    return struct.pack("=IHHII", length, kind, 2, 1, 0) + bytes(length - 16)


@pytest.mark.parametrize(
    ("part", "count"),
    [
        (message(20, 96) * 7, 7),
        (message(20, 96) * 2 + message(20, 104), 3),
        (message(20, 96) * 2 + message(3, 20), 2),
        (message(20, 96) + message(20, 90) + bytes(2), 2),
        (message(3, 20), 0),
    ],
    ids=["alike", "unequal", "with the end", "padded", "only the end"],
)
def test_messages_are_counted_however_they_are_packed(part, count):
    end = socket_messages.end_of_sockets(part)

    assert socket_messages.count(part[:end]) == count if end else count == 0


@pytest.mark.parametrize("length", [72, 96, 100])
def test_equal_messages_are_counted_without_a_look_at_each(length):
    assert 7 == socket_messages._uniform_count(message(20, length) * 7)


@pytest.mark.parametrize(
    "part",
    [
        message(20, 96) + bytes(2),
        message(20, 90) + bytes(2),
        message(20, 96) + message(20, 104),
        message(3, 20) * 2,
        message(20, 96) * 2 + bytes(4),
    ],
)
def test_what_is_not_all_alike_is_left_to_a_closer_look(part):
    assert 0 == socket_messages._uniform_count(part)


@pytest.mark.parametrize(
    ("part", "place"),
    [
        (told(), None),
        (told(attribute(7, b"abcd")), 92),
        (told(attribute(7, b"abc")), None),
        (told(attribute(8, b"abcd")), None),
        (told(attribute(2, b"abcde"), attribute(7, b"abcd")), 104),
        (told(attribute(7, b"a"), attribute(7, b"abcd")), 100),
        (told(attribute(2, b""), attribute(7, b"abcd")), 96),
        (told(bytes(4), attribute(7, b"abcd")), 96),
        (told(attribute(7, b"abcd"))[:-8] + bytes(8), None),
    ],
    ids=["none", "there", "short", "other", "padded", "second", "empty", "zero", "cleared"],
)
def test_an_attribute_is_found_among_others_where_it_is_long_enough(part, place):
    assert place == socket_messages.attribute_at(part, 0, 7, 4)
    if place is not None:
        assert 16 + place == socket_messages.attribute_at(message(20, 16) + part, 16, 7, 4)


def test_an_attribute_without_content_is_found_at_the_very_end():
    assert 92 == socket_messages.attribute_at(told(attribute(7, b"")), 0, 7, 0)


@given(
    st.lists(st.sampled_from([72, 73, 74, 75, 96, 100]), min_size=1, max_size=12),
    st.sampled_from([b"", message(3, 20), message(2, 36)]),
)
def test_a_part_ends_where_its_messages_about_sockets_do(lengths, tail):
    sockets = b"".join(message(20, length) + bytes(-length % 4) for length in lengths)
    end = socket_messages.end_of_sockets(sockets + tail)

    assert len(sockets) == end
    assert len(lengths) == sum(1 for _ in socket_messages.starts(sockets[:end]))
    assert len(lengths) == socket_messages.count(sockets)


@pytest.mark.parametrize(("kind", "code"), [(2, -1), (3, -22)])
def test_an_error_at_the_end_of_an_answer_is_raised_and_none_is_not(kind, code):
    def ending(code):
        return message(20, 96) + struct.pack("=IHHIIi", 20, kind, 2, 1, 0, code)

    socket_messages.raise_for_error(ending(0), 96)
    with pytest.raises(OSError, match="sock_diag: ") as raised:
        socket_messages.raise_for_error(ending(code), 96)
    assert -code == raised.value.errno
