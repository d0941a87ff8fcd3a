"""One open connection: what it reads, what it still has to send, when the kernel got what it reads."""

import contextlib
import os
import socket
import ssl
from collections.abc import Sequence
from typing import Any, Protocol

from gevent import monkey

from capacity.loadgen.wire.memory_budget import SPENT
from capacity.loadgen.wire.stamps import NOTES_BYTES, ask_for_stamps, stamp_in
from capacity.loadgen.wire.streams.readers import Reader

BYTES_PER_READ = 4096
MAX_UNSENT_BYTES = 1 << 20

_socket = monkey.get_original("socket", "socket")


class Listener(Protocol):
    """Who is told about a connection's messages and its end; must not block."""

    def on_messages(self, connection: "Connection", /, payloads: Sequence[bytes]) -> None: ...

    def on_lost(self, connection: "Connection", /, reason: str) -> None: ...


class Owner(Protocol):
    """The set that a connection belongs to."""

    def lose(self, connection: "Connection", reason: str, /) -> None: ...
    def hear_and_lose(self, connection: "Connection", /) -> None: ...

    def forget(self, connection: "Connection", /) -> None: ...

    def watch_writable(self, connection: "Connection", /, *, wanted: bool) -> None: ...

    def weigh(self, connection: "Connection", /) -> None: ...


class Connection:
    """One open connection. Sending never blocks: what the socket does not take is queued."""

    __slots__ = (
        "_owner",
        "_stamped",
        "_unsent",
        "arrived_at_s",
        "fd",
        "is_heavy",
        "is_tls",
        "listener",
        "reader",
        "socket",
    )

    def __init__(self, owner: Owner, sock: Any, listener: Listener, reader: Reader) -> None:
        self._owner = owner
        self._unsent = b""
        self.is_tls = isinstance(sock, ssl.SSLSocket)
        self.fd: int = sock.fileno() if self.is_tls else sock.detach()
        self.socket: Any = sock if self.is_tls else None
        """None where the descriptor is enough: gevent's wrapper costs memory and time."""
        self._stamped: Any = None
        """The plain socket whose stamps are asked for; below TLS it shares the descriptor."""
        self.arrived_at_s: float | None = None
        """When the kernel received the last bytes read, epoch seconds; None where it is not asked."""
        self.listener = listener
        self.reader = reader
        self.is_heavy = False
        """Held something when it was weighed last."""

    def send(self, payload: bytes, *, is_binary: bool = False) -> None:
        """Send one message."""
        self.send_frame(self.reader.framed(payload, is_binary=is_binary))

    def send_frame(self, frame: bytes) -> None:
        if self.fd < 0:
            return
        waiting = bool(self._unsent)
        self._unsent += frame
        if not waiting:
            self.flush()
        if len(self._unsent) > MAX_UNSENT_BYTES:
            self._owner.lose(self, "target_not_reading")

    def flush(self) -> None:
        """Hand queued bytes to the socket; watch until it takes more while some are left."""
        try:
            sent = self._write(self._unsent)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            sent = 0
        except OSError:
            self._owner.hear_and_lose(self)
            return
        waited = sent < len(self._unsent)
        self._unsent = self._unsent[sent:]
        self._owner.watch_writable(self, wanted=waited)
        if waited or self.is_heavy:
            self._owner.weigh(self)

    @property
    def held_bytes(self) -> int:
        """Return the size of what waits: for the rest of a message, or for room to be sent."""
        return self.reader.held_bytes + len(self._unsent)

    def shed(self) -> None:
        """Go, because this connection holds the most of what the process may hold."""
        self._owner.lose(self, SPENT)

    def ask_for_stamps(self) -> None:
        """Have the kernel say when it received what is read; costs a few microseconds a read."""
        self._stamped = _socket(fileno=self.fd)
        if not self.is_tls:
            self.socket = self._stamped
        ask_for_stamps(self._stamped)

    def read(self) -> bytes:
        """Return what the socket has, and note its stamp. Raises what the socket raises."""
        if not self.is_tls:
            return self._received()
        if self._stamped is not None:
            # TLS hands out no stamps: look at what is about to be decrypted. There may be nothing,
            # while decrypted bytes wait.
            with contextlib.suppress(BlockingIOError):
                self._received(socket.MSG_PEEK)
        return bytes(self.socket.recv(BYTES_PER_READ))

    def _received(self, flags: int = 0) -> bytes:
        data, notes, _flags, _address = self._stamped.recvmsg(BYTES_PER_READ, NOTES_BYTES, flags)
        stamp_s = stamp_in(notes)
        if stamp_s is not None:
            self.arrived_at_s = stamp_s
        return bytes(data)

    def release(self) -> None:
        """Give the descriptor back."""
        fd, self.fd = self.fd, -1
        if self.socket is None:
            os.close(fd)
            return
        if self.is_tls and self._stamped is not None:
            self._stamped.detach()
        self.socket.close()

    def _write(self, data: bytes) -> int:
        if self.socket is None:
            return os.write(self.fd, data)
        return int(self.socket.send(data))

    def close(self) -> None:
        """Leave: a close frame, if there is one and the socket takes it, then the end. Never waits."""
        if self.fd < 0:
            return
        if self.reader.goodbye:
            with contextlib.suppress(OSError):
                self._write(self.reader.goodbye)
        self._owner.forget(self)
