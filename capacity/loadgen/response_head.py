"""The connected socket as websocket-client sees it while it reads the answer to the upgrade.

websocket-client reads byte by byte, without a bound and without ever waiting while bytes are there.
Here the head is read at once, up to MAX_HEAD_BYTES and not a byte past its end: frames may follow.
"""

import re
import socket
import ssl
from typing import Any

import websocket

MAX_HEAD_BYTES = 1 << 16
_END = re.compile(rb"\n\r?\n")
_UNWANTED = re.compile(rb"(?im)^(content-length|set-cookie)[ \t]*:.*\n")
"""A refusal's body says nothing that is counted; and no client has another's cookies."""


class ResponseHead:
    """What websocket-client asks of a socket, for one exchange."""

    __slots__ = ("_at", "_head", "_is_tls", "_socket")

    def __init__(self, sock: Any) -> None:
        self._socket = sock
        self._is_tls = isinstance(sock, ssl.SSLSocket)
        self._head = b""
        self._at = 0

    def send(self, data: bytes) -> int:
        return int(self._socket.send(data))

    def recv(self, count: int) -> bytes:
        """Return the head's next bytes; none where the target hung up before its end."""
        if not self._head:
            self._head = _UNWANTED.sub(b"", self._read())
        self._at += count
        return self._head[self._at - count : self._at]

    def gettimeout(self) -> float | None:
        timeout_s: float | None = self._socket.gettimeout()
        return timeout_s

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> bytes:
        head = bytearray()
        while arrived := self._arrived(head):
            head += arrived
            if _END.search(head, max(0, len(head) - len(arrived) - 2)):
                return bytes(head)
            if len(head) > MAX_HEAD_BYTES:
                raise websocket.WebSocketException("a head without end")
        return bytes(head)

    def _arrived(self, head: bytearray) -> bytes:
        """Return what has arrived of the head, and leave what comes after it in the socket."""
        if self._is_tls:
            return bytes(self._socket.recv(1))  # Decrypted bytes cannot be put back.
        seen = self._socket.recv(4096, socket.MSG_PEEK)
        before = bytes(head[-2:])
        end = _END.search(before + seen)
        return bytes(self._socket.recv(end.end() - len(before) if end else len(seen)))
