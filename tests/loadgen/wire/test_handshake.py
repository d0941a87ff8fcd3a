"""Handshakes with real sockets; every way to fail is counted under its own word."""

import base64
import hashlib
import re
import runpy
import socket
from pathlib import Path
from urllib.parse import urlsplit

import gevent
import psutil
import pytest
from gevent.event import Event
from wsproto.events import AcceptConnection

from capacity.loadgen.wire.compression import Deflate
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.handshake import HandshakeError, open_websocket

UPGRADES = runpy.run_path(str(Path(__file__).with_name("upgrades.py")))
target = UPGRADES["target"]
answer_with = UPGRADES["answer_with"]
drip = UPGRADES["drip"]


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


@pytest.mark.parametrize(
    ("offered", "line"),
    [(("v12.stomp", "xmpp"), ["Sec-WebSocket-Protocol: v12.stomp,xmpp"]), ((), [])],
)
def test_subprotocols_are_offered_in_their_order_and_none_where_there_are_none(
    target, offered, line
):
    heads = []
    accept = answer_with(AcceptConnection(subprotocol=offered[0] if offered else None))

    def behave(sock):
        heads.append(sock.recv(4096, socket.MSG_PEEK).decode())
        accept(sock)

    endpoint = Endpoint(url=target(behave), timeout_s=2, subprotocols=offered)
    open_websocket(endpoint).socket.close()

    assert line == re.findall("(?m)^Sec-WebSocket-Protocol:.*(?=\r)", heads[0])


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
