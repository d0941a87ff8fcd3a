"""Handshakes with real sockets; every way to fail is counted under its own word."""

import base64
import contextlib
import errno
import hashlib
import re
import socket
import ssl
from types import SimpleNamespace
from urllib.parse import urlsplit

import gevent
import psutil
import pytest
import websocket
from gevent.event import Event
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, RejectConnection

from capacity.loadgen.wire.compression import Deflate
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.handshake import (
    GENERATOR_FAULTS,
    HandshakeError,
    failure_reason,
    open_websocket,
)
from capacity.loadgen.wire.proxy import ProxyError


@pytest.fixture
def target():
    """Serve one connection with a function of the accepted socket; return its URL."""
    listeners, greenlets = [], []

    def serve(behave):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept():
            sock, _address = listener.accept()
            with sock:
                behave(sock)

        greenlets.append(gevent.spawn(accept))
        return f"ws://127.0.0.1:{listener.getsockname()[1]}/path"

    yield serve
    gevent.killall(greenlets)
    for listener in listeners:
        listener.close()


answers = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.one_of(
            st.sampled_from(
                (
                    b"HTTP/1.1 101 x",
                    b"HTTP/1.1 503",
                    b"HTTP/1.1 301 x",
                    b"Upgrade: websocket",
                    b"Connection: Upgrade",
                    b"Sec-WebSocket-Accept: \xc3\xa9",
                    b"Sec-WebSocket-Extensions: ;=",
                    b"Set-Cookie: a>b=c; Domain=x",
                    b"Content-Length: x",
                    b"Location: ::",
                )
            ),
            st.binary(max_size=20),
        ),
        max_size=8,
    ).map(lambda lines: b"\r\n".join((b"HTTP/1.1 101 x", *lines, b"", b""))),
)


@pytest.fixture
def answering():
    """A target that gives every connection the answer that stands in it, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = SimpleNamespace(answer=b"", url=f"ws://127.0.0.1:{port}/")

        def serve():
            while True:
                sock, _address = listener.accept()
                with sock:
                    sock.recv(4096)
                    sock.sendall(server.answer)

        greenlet = gevent.spawn(serve)
        yield server
        greenlet.kill()


def answer_with(event):
    def behave(sock):
        server = WSConnection(ConnectionType.SERVER)
        server.receive_data(sock.recv(4096))
        list(server.events())
        sock.sendall(server.send(event))
        gevent.sleep(1)

    return behave


def say(answer):
    def behave(sock):
        sock.recv(4096)
        with contextlib.suppress(OSError):
            sock.sendall(answer)
        gevent.sleep(1)

    return behave


def drip(sock):
    """Send a byte at a time, faster than any single read times out."""
    with contextlib.suppress(OSError):
        while True:
            sock.sendall(b"H")
            gevent.sleep(0.05)


def flood(sock):
    with contextlib.suppress(OSError):
        while True:
            sock.sendall(b"H" * 65536)


def agree_on(terms):
    """Accept the upgrade with *terms* of compression, asked or unasked."""

    def behave(sock):
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", sock.recv(4096))[1]
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        sock.sendall(
            b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Extensions: " + terms + b"\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        gevent.sleep(1)

    return behave


def test_an_accepted_upgrade_returns_the_socket(target):
    url = target(answer_with(AcceptConnection()))
    sock = open_websocket(Endpoint(url=url, timeout_s=2)).socket

    assert sock.fileno() > 0
    sock.close()


def test_a_connection_leaves_from_the_address_that_it_is_given(target):
    peers = []
    accept = answer_with(AcceptConnection())

    def behave(sock):
        peers.append(sock.getpeername()[0])
        accept(sock)

    endpoint = Endpoint(url=target(behave), timeout_s=2, source_address="127.0.0.9")
    open_websocket(endpoint).socket.close()

    assert ["127.0.0.9"] == peers


def test_an_address_that_is_not_this_machines_is_the_generators_fault(target):
    url = target(answer_with(AcceptConnection()))
    with pytest.raises(HandshakeError, match="generator_source_address") as failure:
        open_websocket(Endpoint(url=url, timeout_s=2, source_address="192.0.2.1"))

    assert str(failure.value) in GENERATOR_FAULTS


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (answer_with(RejectConnection(status_code=503)), "handshake_rejected_503"),
        (lambda sock: sock.close(), "connect_reset"),
        (lambda sock: gevent.sleep(5), "connect_timeout"),
        (say(b"\x00junk\r\n\r\n"), "handshake_invalid"),
        (say(b"HTTP/1.1 999999 x\r\n\r\n"), "handshake_invalid"),
        (say(b"HTTP/1.1 302 x\r\nLocation: ws://127.0.0.1:1/\r\n\r\n"), "handshake_rejected_302"),
        (say(b"HTTP/1.1 308 x\r\n\r\n"), "handshake_rejected_308"),
        (say(b"HTTP/1.1 429 x\r\nContent-Length: 99999999\r\n\r\nno"), "handshake_rejected_429"),
        (say(b"HTTP/1.1 101 x\r\n" + b"x: y\r\n" * 50_000), "handshake_invalid"),
        (drip, "connect_timeout"),
        (flood, "handshake_invalid"),
    ],
    ids=[
        "status",
        "hangs up",
        "silence",
        "junk",
        "odd status",
        "redirect",
        "permanent redirect",
        "body announced",
        "long head",
        "drip",
        "flood",
    ],
)
def test_a_failed_handshake_is_counted_under_its_reason(target, behave, reason):
    with pytest.raises(HandshakeError) as failure:
        open_websocket(Endpoint(url=target(behave), timeout_s=0.5))

    assert reason == str(failure.value)


def test_cookies_and_other_headers_of_the_dialect_are_sent_as_they_stand(target):
    heads = []
    accept = answer_with(AcceptConnection())

    def behave(sock):
        heads.append(sock.recv(4096, socket.MSG_PEEK).decode())
        accept(sock)

    headers = ("Cookie: session=a1; theme=dark", "X-Api-Key: k")
    open_websocket(Endpoint(url=target(behave), timeout_s=2, headers=headers)).socket.close()
    (head,) = heads

    assert ["Cookie: session=a1; theme=dark"] == re.findall("(?m)^Cookie:.*(?=\r)", head)
    assert "\r\nX-Api-Key: k\r\n" in head


def connected_to(url):
    """Return how many sockets of this process are connected to a server."""
    found = psutil.Process().net_connections("tcp")
    return sum(bool(each.raddr) and each.raddr.port == urlsplit(url).port for each in found)


def test_an_attempt_that_is_ended_leaves_no_socket_open(target):
    accepted = Event()

    def behave(_sock):
        accepted.set()
        gevent.sleep(5)

    url = target(behave)
    attempt = gevent.spawn(open_websocket, Endpoint(url=url, timeout_s=5))
    accepted.wait(30)
    during = connected_to(url)
    attempt.kill()

    assert (1, 0) == (during, connected_to(url))


def test_compression_is_agreed_on_when_it_was_offered(target):
    url = target(agree_on(b"permessage-deflate; server_max_window_bits=10"))
    opened = open_websocket(Endpoint(url=url, timeout_s=2, offers_compression=True))
    opened.socket.close()

    assert Deflate(window_bits=10) == opened.compression


@pytest.mark.parametrize(
    ("terms", "is_offered"),
    [(b"permessage-deflate", False), (b"permessage-deflate; server_max_window_bits=99", True)],
)
def test_compression_on_other_terms_is_no_connection(target, terms, is_offered):
    endpoint = Endpoint(url=target(agree_on(terms)), timeout_s=2, offers_compression=is_offered)
    with pytest.raises(HandshakeError, match="handshake_invalid"):
        open_websocket(endpoint)


def test_a_handshake_that_drips_ends_in_time_altogether(target):
    with gevent.Timeout(30), pytest.raises(HandshakeError, match="connect_timeout"):
        open_websocket(Endpoint(url=target(drip), timeout_s=0.5))


@settings(
    max_examples=max(100, settings.default.max_examples),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(answer=answers)
@example(answer=b"\n")
def test_any_answer_opens_or_is_counted(answering, answer):
    answering.answer = answer
    reason = "opened"
    try:
        open_websocket(Endpoint(url=answering.url, timeout_s=1)).socket.close()
    except HandshakeError as error:
        reason = str(error)

    assert re.fullmatch(r"opened|connect_reset|handshake_(invalid|rejected_\d{3})", reason)


def test_nobody_listening_is_a_refused_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(HandshakeError, match="connect_refused"):
        open_websocket(Endpoint(url=f"ws://127.0.0.1:{port}/", timeout_s=1))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EMFILE, "too many"), "generator_descriptors"),
        (OSError(errno.EADDRNOTAVAIL, "no port"), "generator_ports"),
        (ssl.SSLCertVerificationError(), "tls_certificate"),
        (ssl.SSLError(), "tls_failed"),
        (websocket.WebSocketAddressException("x"), "dns_failed"),
        (socket.gaierror(), "dns_failed"),
        (OSError(errno.EIO, "odd"), "connect_failed"),
    ],
)
def test_errors_that_cannot_be_provoked_here_have_words_too(error, reason):
    assert reason == failure_reason(error)


def test_what_a_proxy_answers_is_the_reason_and_what_its_network_does_is_marked_as_its():
    answered, unreached = ProxyError("proxy_status_407"), ProxyError()
    unreached.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    assert "proxy_status_407" == failure_reason(answered)
    assert "proxy_connect_refused" == failure_reason(unreached)
