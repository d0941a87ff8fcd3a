"""As much of WebSocket (RFC 6455) and HTTP as a venue and a plain client of short messages need."""

import base64
import hashlib
import re
import socket
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT = 0x81
_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_KEY = re.compile(rb"(?i)sec-websocket-key: *(\S+)")


class Peer:
    """One connection that is read whole messages at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def http(self) -> tuple[bytes, bytes]:
        """Return head and body of the next request or answer. Raises EOFError."""
        while b"\r\n\r\n" not in self._unread:
            self._more()
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        told = _LENGTH.search(head)
        return head, self._taken(int(told[1]) if told else 0)

    def frame(self) -> tuple[int, bytes]:
        """Return first byte and payload of the next frame. Raises EOFError."""
        first, second = self._taken(2)
        size = second & 127
        if size == 126:
            (size,) = struct.unpack("!H", self._taken(2))
        mask = self._taken(4) if second & 128 else b""
        payload = self._taken(size)
        return first, _masked(payload, mask) if mask else payload

    def send_frame(self, payload: bytes, *, mask: bytes = b"") -> None:
        """Send a text; clients give a mask."""
        flag = 128 if mask else 0
        size = len(payload)
        length = bytes((size | flag,)) if size < 126 else struct.pack("!BH", 126 | flag, size)
        body = _masked(payload, mask) if mask else payload
        self.socket.sendall(bytes((TEXT,)) + length + mask + body)

    def _taken(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._more()
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self._unread += data


def accepted(head: bytes) -> bytes | None:
    """Return the answer to a handshake; None for any other request."""
    key = _KEY.search(head)
    if key is None:
        return None
    token = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + token + b"\r\n\r\n"
    )


def _masked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
