"""A server that upgrades, or does something else."""

import contextlib
import socket

import gevent
import pytest
from wsproto import ConnectionType, WSConnection


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


def drip(sock):
    """Send a byte at a time, faster than any single read times out."""
    with contextlib.suppress(OSError):
        while True:
            sock.sendall(b"H")
            gevent.sleep(0.05)
