"""Sockets of this host, and the table of the kernel."""

import socket

import pytest

from capacity.monitor.host.sock_diag import SocketTable


@pytest.fixture
def table():
    table = SocketTable()
    yield table
    table.close()


@pytest.fixture
def opened():
    sockets = []
    yield sockets
    for each in sockets:
        each.close()


def listen(opened, host, family, backlog=64):
    server = socket.create_server((host, 0), family=family, backlog=backlog)
    opened.append(server)
    return server.getsockname()[1], server


HERE = {socket.AF_INET: ("127.0.0.7", "127.0.0.1"), socket.AF_INET6: ("::1", "::1")}


@pytest.fixture(params=HERE, ids=["IPv4", "IPv6"])
def family(request):
    return request.param
