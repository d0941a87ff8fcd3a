"""A small server of HTTP, connections to it and what they exchange."""

import itertools

import pytest
from gevent.server import StreamServer

from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.http_connection import ExchangeError, HttpConnection

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
TIMEOUT_S = 0.5


class Server:
    """Answers each request with the next of its answers: bytes, or a function of the socket."""

    def __init__(self):
        self.answers = itertools.repeat(OK)
        self.requests, self.peers = [], []
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.port = self._server.server_port

    def stop(self):
        self._server.stop(timeout=0)

    def _serve(self, sock, address):
        self.peers.append(address[0])
        while request := sock.recv(65536):
            self.requests.append(request)
            answer = next(self.answers)
            if not isinstance(answer, bytes):
                answer(sock)
                return
            sock.sendall(answer)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def connect():
    """Return a connection to the server's port, closed at the end of the test."""
    connections = []

    def connect_to(port, *, is_kept=True, scheme="http", **endpoint):
        asked = Endpoint(url=f"{scheme}://127.0.0.1:{port}/", timeout_s=2, **endpoint)
        connections.append(
            HttpConnection(
                lambda: asked, is_kept=is_kept, max_answer_bytes=5000, timeout_s=TIMEOUT_S
            )
        )
        return connections[-1]

    yield connect_to
    for connection in connections:
        connection.close()


def exchange(connection, *, is_repeatable=True):
    return connection.exchange(REQUEST, is_repeatable=is_repeatable)


def failure(connection, **options):
    with pytest.raises(ExchangeError) as error:
        exchange(connection, **options)
    return str(error.value)
