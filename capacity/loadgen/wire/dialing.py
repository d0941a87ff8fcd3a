"""Connects to a target: look-up, TCP, an HTTP proxy and TLS where they are asked for, each timed.

A name is looked up for every connection, as new clients do; an address is not looked up at all.
"""

import ipaddress
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from websocket import DEFAULT_SOCKET_OPTION

from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.proxy import ProxyError, tunnel
from capacity.loadgen.wire.source_addresses import SourceAddressError, leave_from
from capacity.loadgen.wire.tls import client_context


class Laps:
    """How long one phase after the other took."""

    __slots__ = ("_clock_s", "_since_s", "us")

    def __init__(self, clock_s: Callable[[], float] = time.perf_counter) -> None:
        self.us: dict[str, int] = {}
        """Phase -> whole microseconds."""
        self._clock_s = clock_s
        self._since_s = clock_s()

    def end(self, phase: str) -> None:
        now_s = self._clock_s()
        self.us[phase] = round((now_s - self._since_s) * 1e6)
        self._since_s = now_s


class Dialed(NamedTuple):
    """A connected socket, and the laps so far."""

    socket: Any
    laps: Laps


def dial(endpoint: Endpoint, laps: Laps | None = None) -> Dialed:
    """Connect to where the URL leads (wss and https over TLS), noting *laps* as they end.

    Raises OSError, or ConfigError for certificates.
    """
    parts = urlsplit(endpoint.url)
    is_tls = parts.scheme in {"wss", "https"}
    host = parts.hostname
    assert host is not None
    port = parts.port or (443 if is_tls else 80)
    laps = laps or Laps()
    if endpoint.proxy is None:
        sock = _connected(host, port, endpoint, laps)
    else:
        sock = _connected_to_proxy(endpoint.proxy, endpoint, laps)
    with ExitStack() as undone:  # Also when the greenlet is killed.
        undone.callback(sock.close)
        for option in DEFAULT_SOCKET_OPTION:
            sock.setsockopt(*option)
        laps.end("tcp")
        if endpoint.proxy is not None:
            tunnel(sock, host, port)
            laps.end("proxy")
        if is_tls:
            sock = undone.enter_context(_secured(sock, host, endpoint))
            laps.end("tls")
        undone.pop_all()
    return Dialed(sock, laps)


def _secured(sock: Any, host: str, endpoint: Endpoint) -> Any:
    certificates = endpoint.certificates
    name = certificates.server_name if certificates is not None else None
    return client_context(certificates).wrap_socket(sock, server_hostname=name or host)


def _connected_to_proxy(proxy: str, endpoint: Endpoint, laps: Laps) -> Any:
    parts = urlsplit(proxy)
    assert parts.hostname is not None
    assert parts.port is not None
    try:
        return _connected(parts.hostname, parts.port, endpoint, laps)
    except SourceAddressError:
        raise
    except OSError as error:
        raise ProxyError from error


def _connected(host: str, port: int, endpoint: Endpoint, laps: Laps) -> Any:
    """Return a socket that is connected to the first of the host's addresses that accepts."""
    addresses = _addresses(host, port, endpoint.source_address, laps)
    for n, (family, address) in enumerate(addresses, start=1):
        try:
            return _connected_to(family, address, endpoint)
        except OSError:
            if n == len(addresses):
                raise
    raise AssertionError("a look-up without an error finds at least one address")


def _addresses(
    host: str, port: int, source: str | None, laps: Laps
) -> list[tuple[int, tuple[Any, ...]]]:
    """Return family and address of all that *host* stands for, as far as *source* can reach it."""
    family = _family_of(source) if source is not None else socket.AF_UNSPEC
    if _family_of(host) != socket.AF_UNSPEC and family in {socket.AF_UNSPEC, _family_of(host)}:
        return [(_family_of(host), (host, port))]
    answers = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    laps.end("dns")
    return [(answer[0], answer[4]) for answer in answers]


@cache
def _family_of(host: str) -> int:
    """Return an address's family; none for names, and for zones that only a look-up can tell."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return socket.AF_UNSPEC
    if "%" in host:
        return socket.AF_UNSPEC
    return socket.AF_INET if version == 4 else socket.AF_INET6


def _connected_to(family: int, address: Any, endpoint: Endpoint) -> Any:
    sock = socket.socket(family, socket.SOCK_STREAM)
    with ExitStack() as undone:  # As above.
        undone.callback(sock.close)
        if endpoint.source_address is not None:
            leave_from(sock, endpoint.source_address)
        if endpoint.receive_buffer_bytes is not None:
            # Before connecting: the window that is offered then is never taken back.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, endpoint.receive_buffer_bytes)
        sock.settimeout(endpoint.timeout_s)
        sock.connect(address)
        undone.pop_all()
    return sock
