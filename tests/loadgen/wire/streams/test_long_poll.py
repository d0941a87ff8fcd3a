"""Answers to long polls, and what is asked next."""

import pytest

from capacity.loadgen.wire.streams.long_poll import NOT_KEPT, LongPollReader
from capacity.loadgen.wire.streams.response import INVALID, TOO_BIG

REQUEST = b"GET /sub/x HTTP/1.1\r\nHost: h\r\n"
NEXT = {"If-None-Match": "Etag", "If-Modified-Since": "Last-Modified"}


def answer(body=b"", status="200 OK", **headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def new(most_bytes=1000, cursor=None):
    return LongPollReader(most_bytes, REQUEST, NEXT, cursor)


def test_each_answer_is_a_message_and_the_next_request_goes_on_from_it():
    reader, replies = new(), []

    assert reader.asked() == REQUEST + b"\r\n"
    assert reader.feed(answer(b"one", Etag="3", Last_Modified="then"), replies) == (b"one",)
    assert replies == [REQUEST + b"If-None-Match: 3\r\nIf-Modified-Since: then\r\n\r\n"]
    assert reader.feed(answer(b"two", Etag="4"), replies) == (b"two",)
    assert replies[1] == REQUEST + b"If-None-Match: 4\r\nIf-Modified-Since: then\r\n\r\n"


def test_an_answer_may_come_in_any_pieces():
    reader, replies, found = new(), [], []
    for byte in answer(b"one", Etag="3"):
        found += reader.feed(bytes((byte,)), replies)

    assert (found, len(replies), reader.held_bytes) == ([b"one"], 1, 0)


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "408 Request Timeout"])
def test_nothing_new_is_no_message_and_asked_for_again(status):
    reader, replies = new(), []

    assert reader.feed(answer(status=status), replies) == ()
    assert (reader.end, replies) == (None, [REQUEST + b"\r\n"])


@pytest.mark.parametrize(("body", "status"), [(b"", "200 OK"), (b"late", "408 Request Timeout")])
def test_an_answer_without_news_is_no_message_with_or_without_a_body(body, status):
    reader, replies = new(), []

    assert reader.feed(answer(body, status), replies) == ()
    assert (reader.end, replies) == (None, [REQUEST + b"\r\n"])


@pytest.mark.parametrize("status", ["403 Forbidden", "302 Found", "503 Service Unavailable"])
def test_a_refusal_ends_it_with_status_and_reason(status):
    reader, replies = new(), []

    assert reader.feed(answer(b"no", status=status), replies) == ()
    assert reader.end == f"poll_rejected_{status[:3]}"
    assert reader.closing == (int(status[:3]), status[4:])
    assert replies == []


def test_a_target_that_closes_after_each_answer_is_told_apart():
    reader, replies = new(), []

    assert reader.feed(answer(b"one", Connection="close"), replies) == (b"one",)
    assert (reader.end, replies) == (NOT_KEPT, [])


def test_another_connection_goes_on_from_where_the_first_came_to():
    reader = new()
    reader.feed(answer(b"one", Etag="3"), [])

    assert new(cursor=reader.cursor).asked() == REQUEST + b"If-None-Match: 3\r\n\r\n"


@pytest.mark.parametrize(("size", "end"), [(100, None), (101, TOO_BIG)])
def test_an_answer_beyond_its_bound_ends_the_connection_before_it_is_whole(size, end):
    reader = new(most_bytes=100)
    reader.feed(answer(b"x" * 200)[: -200 + size], [])

    assert reader.end == end


def test_what_is_no_answer_of_http_ends_the_connection():
    reader = new()
    reader.feed(b"\x81\x05hello", [])

    assert reader.end == INVALID


def test_a_hundred_before_the_answer_is_waited_out():
    reader, replies = new(), []

    assert reader.feed(b"HTTP/1.1 100 Continue\r\n\r\n", replies) == ()
    assert reader.feed(answer(b"one"), replies) == (b"one",)
    assert len(replies) == 1
