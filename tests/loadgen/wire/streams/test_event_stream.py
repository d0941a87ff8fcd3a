"""Bytes of an answer cut into events, however they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.loadgen.wire.streams.event_stream import ENDED, EventStreamReader
from capacity.loadgen.wire.streams.response import INVALID, TOO_BIG

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
CHUNKED = HEAD[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
EVENTS = [b"id: 7\ndata: a", b"event: tick\ndata: b\ndata: c", b"data"]


def read(*pieces, most_bytes=1000, cursor=None):
    reader, found = EventStreamReader(most_bytes, cursor), []
    for piece in pieces:
        found += reader.feed(piece, [])
        if reader.end is not None:
            break
    return reader, found


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@given(st.data())
def test_events_are_the_same_however_lines_end_and_bytes_are_cut(end, data):
    text = b"\n\n".join([b": hello", *EVENTS, b""]).replace(b"\n", end)
    sent = HEAD + text
    at = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    pieces = [sent[a:b] for a, b in zip([0, *at], [*at, len(sent)], strict=True) if a < b]

    reader, found = read(*pieces)

    assert found == EVENTS
    assert (reader.cursor, reader.end, reader.held_bytes) == ("7", None, 0)


def test_a_chunked_answer_is_read_past_its_chunks_and_ends_with_the_last():
    reader, found = read(CHUNKED, b"6\r\ndata: \r\n", b"3\r\nx\n\n\r\n", b"0\r\n\r\n")

    assert found == [b"data: x"]
    assert reader.end == ENDED


def test_a_byte_order_mark_is_no_part_of_the_first_line():
    assert read(HEAD, b"\xef\xbb\xbfdata: x\n\n")[1] == [b"data: x"]


@pytest.mark.parametrize("block", [b": comment", b"id: 3", b"event: tick", b"retry: 10", b""])
def test_what_has_no_data_is_no_event(block):
    assert read(HEAD, block + b"\n\n")[1] == []


def test_the_id_before_a_loss_stays_until_another_comes():
    assert read(HEAD, b"data: x\n\n", cursor="5")[0].cursor == "5"
    assert read(HEAD, b"id: 6\n\n", cursor="5")[0].cursor == "6"
    assert read(HEAD, b"id: a\0b\n\n", cursor="5")[0].cursor == "5"
    assert read(HEAD, b"id\n\n", cursor="5")[0].cursor == ""


@pytest.mark.parametrize(("size", "end"), [(100, None), (101, TOO_BIG)])
def test_an_event_beyond_its_bound_ends_the_connection_whole_or_not(size, end):
    text = b"data: " + b"x" * (size - 6)

    assert read(HEAD, text, most_bytes=100)[0].end == end
    assert read(HEAD, text + b"\n\n", most_bytes=100)[0].end == end


def test_what_is_no_answer_of_http_ends_the_connection():
    assert read(b"\x81\x05hello")[0].end == INVALID


def test_nothing_is_sent_over_an_event_stream():
    reader, _found = read(HEAD)

    assert (reader.framed(b"x", is_binary=False), reader.goodbye, reader.ping) == (b"", b"", b"")


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_byte_by_byte_it_is_the_same(end):
    sent = HEAD + b"\xef\xbb\xbf" + b"\n\n".join([*EVENTS, b""]).replace(b"\n", end)
    reader, found = read(*(sent[at : at + 1] for at in range(len(sent))))

    assert (EVENTS, "7") == (found, reader.cursor)


def test_an_empty_line_after_one_that_was_cut_between_its_two_bytes_ends_the_event():
    assert [b"data: x"] == read(HEAD, b"data: x\r", b"\n", b"\n")[1]


def test_a_line_that_was_cut_between_its_two_bytes_ends_once():
    assert [b"id: 7\ndata: a"] == read(HEAD, b"id: 7\r", b"\ndata: a\n\n")[1]


def test_of_an_empty_event_at_the_beginning_nothing_is_held():
    assert read(HEAD, b"\n\n")[0].held_bytes == 0


def test_what_is_too_large_is_named_though_the_answer_is_over():
    head = HEAD[:-2] + b"Content-Length: 105\r\n\r\n"
    reader, _found = read(head + b"data: " + b"x" * 97 + b"\n\n", most_bytes=100)

    assert reader.end == TOO_BIG


def test_a_mark_is_left_out_once_and_at_the_beginning_alone():
    mark = b"\xef\xbb\xbf"

    assert [b"data: " + mark] == read(HEAD, b"data: " + mark + b"\n\n")[1]
    assert [] == read(HEAD, mark + mark + b"data\n\n")[1]
    assert [b"data: x"] == read(HEAD, b"data: x\n\n", mark + b"data: y\n\n")[1]
