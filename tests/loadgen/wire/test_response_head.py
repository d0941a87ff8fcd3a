"""Heads as targets send them over real sockets; what follows a head must stay in the socket."""

import contextlib
import socket

import pytest
import websocket
from hypothesis import given
from hypothesis import strategies as st

from capacity.loadgen.wire.response_head import ResponseHead

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.settimeout(2)
    yield ours, theirs
    ours.close()
    theirs.close()


def everything(head):
    """Read as websocket-client does."""
    return b"".join(iter(lambda: head.recv(1), b""))


@pytest.mark.parametrize("end", [b"\r\n\r\n", b"\n\n", b"\n\r\n"])
def test_the_head_ends_at_an_empty_line_and_frames_stay_in_the_socket(pair, end):
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 101 x" + end + b"\x81\x02hi\r\n\r\n")

    assert b"HTTP/1.1 101 x" + end == everything(ResponseHead(ours))
    assert b"\x81\x02hi\r\n\r\n" == ours.recv(100)


@given(
    cuts=st.lists(st.integers(1, 20), max_size=8),
    tail=st.one_of(st.binary(max_size=30), st.just(b"\n\r\n")),
)
def test_however_the_head_arrives_it_is_the_same(cuts, tail):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(2)
        stream, pieces = HEAD + tail, []
        for cut in cuts:
            pieces.append(stream[:cut])
            stream = stream[cut:]
        fed = Fed(ours, theirs, [*pieces, stream])

        assert HEAD == everything(ResponseHead(fed))
        theirs.sendall(b"".join(fed.pieces))
        assert tail == arrived(ours)


class Fed:
    """A socket whose peer sends the next piece whenever nothing is left to read."""

    def __init__(self, ours, theirs, pieces):
        self._ours, self._theirs, self.pieces = ours, theirs, pieces

    def recv(self, count, flags=0):
        self._ours.setblocking(False)
        while not (seen := arrived(self._ours, count, flags)):
            self._theirs.sendall(self.pieces.pop(0))
        return seen


def arrived(sock, count=100, flags=0):
    try:
        return sock.recv(count, flags)
    except BlockingIOError:
        return b""


def test_a_head_without_end_is_given_up(pair):
    ours, theirs = pair
    theirs.sendall(b"x: y\r\n" * (69_632 // 6 + 1))

    with pytest.raises(websocket.WebSocketException, match="without end"):
        ResponseHead(ours).recv(1)


def test_a_target_that_hangs_up_within_the_head_has_ended_it(pair):
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 1")
    theirs.close()

    assert b"HTTP/1.1 1" == everything(ResponseHead(ours))


def test_bodies_are_not_read_and_cookies_not_kept(pair):
    ours, theirs = pair
    theirs.sendall(
        b"HTTP/1.1 503 x\r\ncontent-LENGTH : 9999999999\r\nRetry-After: 1\r\n"
        b"Set-Cookie: a>b=c; Domain=x\r\n\r\n<html>"
    )

    assert b"HTTP/1.1 503 x\r\nRetry-After: 1\r\n\r\n" == everything(ResponseHead(ours))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            b"HTTP/1.1 307 Moved\r\nLocation: /ws/\r\nDate: x\r\n\r\n",
            "307 Moved, Location: /ws/",
        ),
        (
            b'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="a; b"\r\nContent-Length: 9\r\n\r\n{"why":1}',
            '401 No, WWW-Authenticate: Bearer realm="a, b", {"why":1}',
        ),
        (b"HTTP/1.1 429 Busy\r\nRetry-After: 30\r\n\r\nleft", "429 Busy, Retry-After: 30"),
        (b"SSH-2.0-x y\r\n\r\n", "y"),
        (b"SSH-2.0-x\r\n\r\n", "SSH-2.0-x"),
        (b"", None),
    ],
)
def test_an_answer_is_told_by_its_status_and_what_explains_it(pair, answer, told):
    ours, theirs = pair
    theirs.sendall(answer)
    theirs.shutdown(socket.SHUT_WR)
    head = ResponseHead(ours)
    with contextlib.suppress(websocket.WebSocketBadStatusException):
        everything(head)

    assert told == head.told()


def test_a_head_of_64_kibibytes_is_read(pair):
    ours, theirs = pair
    head = b"x" * 65_536 + b"\n\n"
    theirs.sendall(head)

    assert head == everything(ResponseHead(ours))


def test_of_what_explains_an_answer_160_letters_are_shown(pair):
    ours, theirs = pair
    theirs.sendall(
        b"HTTP/1.1 401 No\r\nServer: "
        + b"s" * 300
        + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"b" * 300
    )
    head = ResponseHead(ours)
    everything(head)
    said = head.told().split(", ")

    assert ["401 No", 160] == [said[0], len(said[1])]
    assert said[2].startswith("bbb")
    assert b"b" * (300 - 160) == ours.recv(1000)
    assert 0.05 == ours.gettimeout() == head.gettimeout()


@pytest.mark.parametrize(
    ("name", "value"), [("retry-after", "30"), ("location", None), ("http/1.1 429 busy", None)]
)
def test_a_header_is_found_by_its_name(pair, name, value):
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 429 Busy: x\r\nRetry-After : 30 \r\nlocation\r\n\r\n")
    head = ResponseHead(ours)
    everything(head)

    assert value == head.header(name)


def test_a_redirect_is_no_answer(pair):
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n")

    with pytest.raises(websocket.WebSocketBadStatusException) as raised:
        ResponseHead(ours).recv(1)
    assert 302 == raised.value.status_code
