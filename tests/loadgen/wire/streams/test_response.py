"""An answer read as it comes."""

from http.client import HTTPException

import pytest

from capacity.loadgen.wire.response_head import MAX_HEAD_BYTES
from capacity.loadgen.wire.streams.response import StreamedResponse

HEAD = b"HTTP/1.1 200 OK\r\nEtag: 5\r\nX: a\r\nX: b\r\nContent-Length: 4\r\n\r\n"


def test_the_body_is_taken_away_piece_by_piece():
    response = StreamedResponse()

    assert [response.taken(piece) for piece in (HEAD[:9], HEAD[9:] + b"ab", b"c", b"d")] == [
        b"",
        b"ab",
        b"c",
        b"d",
    ]
    assert (response.status, response.message_complete) == (200, True)


def test_a_header_is_read_by_its_name_and_one_given_twice_not_at_all():
    response = StreamedResponse()
    response.taken(HEAD)

    assert [response.header(name) for name in ("etag", "x", "y")] == ["5", None, None]


def test_a_head_without_end_is_refused():
    response = StreamedResponse()
    response.taken(b"HTTP/1.1 200 OK\r\nX: " + b"x" * (MAX_HEAD_BYTES - 20))
    with pytest.raises(HTTPException):
        response.taken(b"x")
