"""The connected socket as websocket-client sees it while it reads the answer to the upgrade.

websocket-client reads byte by byte, without a bound and without ever waiting while bytes are there.
Here the head is read at once, up to MAX_HEAD_BYTES and not a byte past its end, for frames may
follow; and each "byte" handed on is a line or its end, which spares most of what a connect costs.
"""

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import websocket

MAX_HEAD_BYTES = 1 << 16
_END = re.compile(rb"\n\r?\n")
_PIECES = re.compile(rb"[^\n]+|\n")
_UNWANTED = re.compile(rb"(?im)^(content-length|set-cookie)[ \t]*:.*\n")
"""A refusal's body says nothing that is counted; and no client has another's cookies."""
_REDIRECT = re.compile(rb"HTTP/1\.[01] (3\d\d)\b")


class ResponseHead:
    """What websocket-client asks of a socket, for one exchange."""

    __slots__ = ("_pieces", "_socket")

    def __init__(self, sock: Any) -> None:
        self._socket = sock
        self._pieces: Iterator[bytes] | None = None

    def send(self, data: bytes) -> int:
        return int(self._socket.send(data))

    def recv(self, _count: int) -> bytes:
        """Return the head's next piece; none after its last, or where the target hung up."""
        if self._pieces is None:
            head = _UNWANTED.sub(b"", read_head(self._socket))
            if (elsewhere := _REDIRECT.match(head)) is not None:
                # websocket-client would follow it, or forget the status.
                raise websocket.WebSocketBadStatusException("sent elsewhere", int(elsewhere[1]))
            self._pieces = iter(_PIECES.findall(head))
        return next(self._pieces, b"")

    def gettimeout(self) -> float | None:
        timeout_s: float | None = self._socket.gettimeout()
        return timeout_s

    def close(self) -> None:
        self._socket.close()


def read_head(sock: Any) -> bytes:
    """Return the head of an answer, or as much of it as came before the other side hung up."""
    head = bytearray()
    while arrived := _arrived(sock, head):
        head += arrived
        if _END.search(head, max(0, len(head) - len(arrived) - 2)):
            return bytes(head)
        if len(head) > MAX_HEAD_BYTES:
            raise websocket.WebSocketException("a head without end")
    return bytes(head)


def _arrived(sock: Any, head: bytearray) -> bytes:
    """Return what has arrived of the head, and leave what comes after it in the socket."""
    if isinstance(sock, ssl.SSLSocket):
        return bytes(sock.recv(1))  # Decrypted bytes cannot be put back.
    seen = sock.recv(4096, socket.MSG_PEEK)
    before = bytes(head[-2:])
    end = _END.search(before + seen)
    return bytes(sock.recv(end.end() - len(before) if end else len(seen)))
