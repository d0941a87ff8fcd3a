"""Handshakes with real sockets; every way to fail is counted under its own word."""

import errno
import socket
import ssl

import gevent
import pytest
import websocket
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, RejectConnection

from capacity.loadgen.handshake import Endpoint, HandshakeError, failure_reason, open_websocket


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


def answer_with(event):
    def behave(sock):
        server = WSConnection(ConnectionType.SERVER)
        server.receive_data(sock.recv(4096))
        list(server.events())
        sock.sendall(server.send(event))
        gevent.sleep(1)

    return behave


def test_an_accepted_upgrade_returns_the_socket(target):
    url = target(answer_with(AcceptConnection()))
    sock = open_websocket(Endpoint(url=url, timeout_s=2))

    assert sock.fileno() > 0
    sock.close()


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (answer_with(RejectConnection(status_code=503)), "handshake_rejected_503"),
        (lambda sock: sock.close(), "connect_reset"),
        (lambda sock: gevent.sleep(5), "connect_timeout"),
        (lambda sock: (sock.recv(4096), sock.sendall(b"\x00junk\r\n\r\n")), "handshake_invalid"),
    ],
    ids=["status", "hangs up", "silence", "junk"],
)
def test_a_failed_handshake_is_counted_under_its_reason(target, behave, reason):
    with pytest.raises(HandshakeError) as failure:
        open_websocket(Endpoint(url=target(behave), timeout_s=0.5))

    assert reason == str(failure.value)


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
        (OSError(errno.EIO, "odd"), "connect_failed"),
    ],
)
def test_errors_that_cannot_be_provoked_here_have_words_too(error, reason):
    assert reason == failure_reason(error)
