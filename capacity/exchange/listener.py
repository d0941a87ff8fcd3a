"""Accepts connections, and survives running out of what a connection needs.

When accept(2) fails for want of descriptors or memory the listener pauses: pending handshakes
wait in the kernel's backlog, open connections go on, and one line a second says so.
"""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Callable

from capacity.domain.errors import PreflightError
from capacity.exchange.counters import Counters

log = logging.getLogger(__name__)

RETRY_S = 0.1
_ACCEPTS_AT_ONCE = 64
"""Between them the event loop serves the connections that are open."""

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Listener:
    def __init__(
        self,
        host: str,
        port: int,
        *,
        backlog: int,
        protocol: Callable[[], asyncio.Protocol],
        counters: Counters,
        is_shared: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen; where the port *is_shared*, other processes of ours listen there as well."""
        self._protocol = protocol
        self._counters = counters
        self._tls = tls
        self._socket = _bound_socket(host, port, backlog, is_shared=is_shared)
        self._retry: asyncio.TimerHandle | None = None
        self._logged_s = -float("inf")
        self._greeting: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def start(self) -> None:
        asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        if self._retry is not None:
            self._retry.cancel()
        self._socket.close()

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_AT_ONCE):
            try:
                connection, _address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self._pause(error)
                return
            task = asyncio.create_task(self._greet(connection))
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    async def _greet(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):  # Who speaks no TLS, or not to us, is closed and gone.
            await loop.connect_accepted_socket(self._protocol, connection, ssl=self._tls)

    def _pause(self, error: OSError) -> None:
        self._counters.accept_failures += 1
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._retry = loop.call_later(RETRY_S, self.start)
        if loop.time() - self._logged_s >= 1:
            self._logged_s = loop.time()
            log.warning(
                "cannot accept connections (%s): %d open, the next wait in the backlog",
                error.strerror,
                self._counters.open_connections,
            )


def reserved_port(host: str, port: int) -> socket.socket:
    """Return a socket that keeps *port*, or a free one for 0, for listeners that share it."""
    if port:  # A shared port is joined without a word, also when it is another exchange's.
        _bound_socket(host, port, 1, is_shared=False).close()
    return _bound_socket(host, port, None, is_shared=True)


def _bound_socket(host: str, port: int, backlog: int | None, *, is_shared: bool) -> socket.socket:
    """Return a socket that does not block, and listens unless *backlog* is None."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise PreflightError(f"--host {host}: no such host; give an address of this one") from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
        if backlog is not None:
            bound.listen(backlog)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise PreflightError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another --host or --port "
            "(0 takes any free one)"
        ) from None
    return bound
