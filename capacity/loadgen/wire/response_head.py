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

from capacity.domain.words import printable
from capacity.loadgen.wire.stamps import ask_for_stamps, first_stamp
from capacity.workload.reception import shown

MAX_HEAD_BYTES = 1 << 16
_END = re.compile(rb"\n\r?\n")
_PIECES = re.compile(rb"[^\n]+|\n")
_HAS_BODY = re.compile(rb"(?im)^(content-length:[ \t]*[1-9]|transfer-encoding:)")
_EXPLAINING = {"location", "www-authenticate", "retry-after", "sec-websocket-version", "server"}
BODY_WAIT_S = 0.05
MOST_SHOWN = 160
_UNWANTED = re.compile(rb"(?im)^(content-length|set-cookie)[ \t]*:.*\n")
"""A refusal's body says nothing that is counted; and no client has another's cookies."""
_REDIRECT = re.compile(rb"HTTP/1\.[01] (3\d\d)\b")


class ResponseHead:
    """What websocket-client asks of a socket, for one exchange."""

    __slots__ = ("_is_stamped", "_pieces", "_socket", "arrived_at_s", "head")

    def __init__(self, sock: Any, *, is_stamped: bool = False) -> None:
        """Take a socket; where the kernel stamps what it receives, the head's stamp is kept."""
        self._socket = sock
        self._is_stamped = is_stamped and ask_for_stamps(sock)
        self.arrived_at_s: float | None = None
        """When the kernel received the answer, epoch seconds; None where that is not known."""
        self._pieces: Iterator[bytes] | None = None
        self.head = b""
        """What was read of it."""

    def send(self, data: bytes) -> int:
        return int(self._socket.send(data))

    def recv(self, _count: int) -> bytes:
        """Return the head's next piece; none after its last, or where the target hung up."""
        if self._pieces is None:
            if self._is_stamped:
                self.arrived_at_s = first_stamp(self._socket)
            self.head = read_head(self._socket)
            head = _UNWANTED.sub(b"", self.head)
            if (elsewhere := _REDIRECT.match(head)) is not None:
                # websocket-client would follow it, or forget the status.
                raise websocket.WebSocketBadStatusException("sent elsewhere", int(elsewhere[1]))
            self._pieces = iter(_PIECES.findall(head))
        return next(self._pieces, b"")

    def header(self, name: str) -> str | None:
        """Return the value of a header of the answer, by its name in lower case."""
        for line in self.head.decode("latin-1").splitlines()[1:]:
            found, colon, value = line.partition(":")
            if colon and found.strip().lower() == name:
                return value.strip()
        return None

    def told(self) -> str | None:
        """Return what the answer says: its status, the headers that explain it, how its body begins."""
        lines = self.head.decode("latin-1").splitlines()
        if not lines:
            return None
        said = [lines[0].partition(" ")[2] or lines[0]]
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name.strip().lower() in _EXPLAINING:
                said.append(f"{name.strip()}: {value.strip()}")
        body = self._body_start() if _HAS_BODY.search(self.head) else b""
        if body:
            said.append(shown(body))
        return ", ".join(printable(part, MOST_SHOWN).replace("; ", ", ") for part in said)

    def _body_start(self) -> bytes:
        """Return how the body begins, if it comes at once; nobody reads on after it."""
        try:
            self._socket.settimeout(BODY_WAIT_S)
            return bytes(self._socket.recv(MOST_SHOWN))
        except OSError:
            return b""

    def gettimeout(self) -> float | None:
        timeout_s: float | None = self._socket.gettimeout()
        return timeout_s

    def close(self) -> None:
        """Leave it open: whoever dialled closes, when what the answer says has been read."""


def read_head(sock: Any) -> bytes:
    """Return the head of an answer, or as much of it as came before the other side hung up."""
    head = bytearray()
    while arrived := _arrived(sock, head):
        head += arrived
        if _END.search(head, len(head) - len(arrived) - 2):
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
