"""Connections that leave from an address of our choice: one address has ports for some 28,000.

A bind(2) to port 0 takes a port that no other connection from there may have, to whatever target.
IP_BIND_ADDRESS_NO_PORT (Linux 4.2, ip(7)) leaves the choice to connect(2), which knows the target.
"""

import itertools
import socket
import ssl
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from websocket import DEFAULT_SOCKET_OPTION

_IP_BIND_ADDRESS_NO_PORT = 24
"""linux/in.h; holds for IPv6 sockets as well."""


class SourceAddressError(OSError):
    """No connection can leave from this address: it is not this machine's."""


def in_turn(addresses: Sequence[str]) -> Iterator[str | None]:
    """Yield *addresses* for ever; None, the kernel's choice, when there are none."""
    return itertools.cycle(addresses or [None])


def leave_from(sock: Any, address: str) -> None:
    """Bind a socket to *address* and no port. Raises SourceAddressError."""
    try:
        sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((address, 0))
    except OSError as error:
        raise SourceAddressError(error.errno, f"{address}: {error.strerror}") from error


def connected_socket(url: str, address: str | None, timeout_s: float) -> Any:
    """Return a socket from *address*, or any, to where the ws or wss *url* leads. Raises OSError."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "wss"
    assert parts.hostname is not None
    where = (parts.hostname, parts.port or (443 if is_tls else 80))
    if address is None:
        sock: Any = socket.create_connection(where, timeout_s)
    else:
        sock = _connected_from(address, where, timeout_s)
    try:
        for option in DEFAULT_SOCKET_OPTION:
            sock.setsockopt(*option)
        return _context().wrap_socket(sock, server_hostname=parts.hostname) if is_tls else sock
    except BaseException:  # Also when the greenlet is killed.
        sock.close()
        raise


def _connected_from(address: str, where: tuple[str, int], timeout_s: float) -> Any:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.getaddrinfo(*where, family, socket.SOCK_STREAM)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        leave_from(sock, address)
        sock.settimeout(timeout_s)
        sock.connect(found[0][4])
    except BaseException:  # As above.
        sock.close()
        raise
    return sock


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
