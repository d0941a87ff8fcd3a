"""Listeners on loopback for those who connect."""

import socket

import pytest


@pytest.fixture
def listen():
    """Return a listener on an address."""
    listeners = []

    def on(host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listeners.append(socket.create_server((host, 0), family=family))
        return listeners[-1]

    yield on
    for listener in listeners:
        listener.close()
