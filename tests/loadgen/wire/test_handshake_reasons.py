"""The reason that a failed handshake is counted under."""

import contextlib
import errno
import re
import runpy
import socket
import ssl
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
import websocket
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wsproto.events import AcceptConnection, RejectConnection

from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.handshake import (
    GENERATOR_FAULTS,
    HandshakeError,
    failure_reason,
    open_websocket,
)
from capacity.loadgen.wire.proxy import ProxyError

UPGRADES = runpy.run_path(str(Path(__file__).with_name("upgrades.py")))
target = UPGRADES["target"]
answer_with = UPGRADES["answer_with"]
drip = UPGRADES["drip"]
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


def say(answer):
    def behave(sock):
        sock.recv(4096)
        with contextlib.suppress(OSError):
            sock.sendall(answer)
        gevent.sleep(1)

    return behave


def flood(sock):
    with contextlib.suppress(OSError):
        while True:
            sock.sendall(b"H" * 65536)


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


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (None, "handshake_invalid"),
        (99, "handshake_invalid"),
        (100, "handshake_rejected_100"),
        (599, "handshake_rejected_599"),
        (600, "handshake_invalid"),
    ],
)
def test_only_what_is_a_status_of_http_is_told_as_one(status, reason):
    assert reason == failure_reason(websocket.WebSocketBadStatusException("no", status))


def test_an_error_without_a_number_is_none_of_those_that_are_known():
    assert "connect_failed" == failure_reason(OSError("nobody knows"))
