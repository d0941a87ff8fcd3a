"""Streams and polls opened with real sockets; every way to be refused has its own word."""

import socket
import threading

import pytest

from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.loadgen.wire.streams.opener import NO_EVENT_STREAM, open_connection

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\ndata: x\n\n"


@pytest.fixture
def serve():
    """Answer one request with given bytes; returns the address and, when it came, the request."""
    listener, threads, asked = socket.create_server(("127.0.0.1", 0)), [], []

    def start(answer):
        def run():
            sock, _address = listener.accept()
            with sock:
                asked.append(sock.recv(4096))
                sock.sendall(answer)
                sock.recv(1)

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/sub/x?a=1", asked

    with listener:
        yield start
        for thread in threads:
            thread.join(5)


def endpoint(url, transport, **more):
    return Endpoint(url=url, timeout_s=5, transport=transport, **more)


def test_an_event_stream_is_asked_for_and_read_after_its_head(serve):
    url, asked = serve(STREAM)
    opened = open_connection(
        endpoint(url, "event_stream", cursor="7", headers=("accept: a/b", "X-Key: k"))
    )
    with opened.socket:
        assert opened.reader.feed(opened.socket.recv(100), []) == [b"data: x"]
    assert asked[0].split(b"\r\n") == [
        b"GET /sub/x?a=1 HTTP/1.1",
        b"Host: " + url.split("/")[2].encode(),
        b"Cache-Control: no-cache",
        b"Last-Event-ID: 7",
        b"accept: a/b",
        b"X-Key: k",
        b"",
        b"",
    ]


def test_a_poll_is_under_way_when_its_connection_is_open(serve):
    url, asked = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nEtag: 4\r\n\r\none")
    opened = open_connection(
        endpoint(
            url,
            "long_poll",
            host="there",
            next_headers={"If-None-Match": "Etag"},
            cursor="If-None-Match: 3\r\n",
        )
    )
    replies = []
    with opened.socket:
        assert opened.reader.feed(opened.socket.recv(100), replies) == (b"one",)
    asked_first = (
        b"GET /sub/x?a=1 HTTP/1.1\r\nHost: there\r\nAccept: */*\r\nIf-None-Match: 3\r\n\r\n"
    )
    assert (asked, replies) == ([asked_first], [asked_first.replace(b"3", b"4")])


@pytest.mark.parametrize(
    ("answer", "reason", "told"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "handshake_rejected_404", "404 Not Found"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n",
            "handshake_rejected_302",
            "302 Found, Location: /b",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", NO_EVENT_STREAM, "200 OK"),
        (b"HTTP/1.1 200 OK\r\n\r\n", NO_EVENT_STREAM, "200 OK"),
        (b"hello\r\n\r\n", "handshake_invalid", None),
    ],
)
def test_what_is_no_event_stream_is_refused_by_its_own_word(serve, answer, reason, told):
    url, _asked = serve(answer)
    with pytest.raises(HandshakeError) as refused:
        open_connection(endpoint(url, "event_stream"))
    assert (str(refused.value), refused.value.told) == (reason, told)


def test_how_long_a_refusal_asks_to_wait_is_kept(serve):
    url, _asked = serve(b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\n\r\n")
    with pytest.raises(HandshakeError) as refused:
        open_connection(endpoint(url, "event_stream"))
    assert refused.value.retry_after == "9"


@pytest.mark.parametrize("transport", ["event_stream", "long_poll"])
def test_nobody_there_is_refused_as_for_every_connection(transport):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(HandshakeError, match="connect_refused"):
        open_connection(endpoint(f"http://127.0.0.1:{port}/", transport))
