"""A small HTTP proxy that connects its clients (CONNECT) or answers otherwise."""

import contextlib

import gevent
from gevent import socket
from gevent.server import StreamServer


class ConnectProxy:
    def __init__(self, answer=b"HTTP/1.1 200 Connection established\r\n\r\n", *, holds=True):
        self.asked = []
        """First line and headers of each request."""
        self._answer = answer
        self._holds = holds
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.stop(timeout=0)

    def _serve(self, client, _address):
        head = client.recv(4096).decode()
        self.asked.append(head)
        if b" 200 " not in self._answer:
            client.sendall(self._answer)
            gevent.sleep(1 if self._holds else 0)
            return
        host, _colon, port = head.split()[1].rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port))) as target:
            client.sendall(self._answer)
            there = gevent.spawn(copy, client, target)
            copy(target, client)
            there.join(timeout=1)


def copy(source, sink):
    """Pass on what comes, and the end."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
