"""Opens a WebSocket with websocket-client and hands its socket over, ready for the epoll set."""

import errno
import socket
import ssl
from dataclasses import dataclass
from typing import Any, NamedTuple

import gevent
import websocket

from capacity.loadgen.compression import OFFER, Deflate, NegotiationError, agreed
from capacity.loadgen.response_head import ResponseHead
from capacity.loadgen.source_addresses import SourceAddressError, connected_socket

GENERATOR_FAULTS = frozenset(
    {
        "generator_descriptors",
        "generator_memory",
        "generator_ports",
        "generator_source_address",
    }
)
"""Failures that are ours, not the target's: they void the step."""

_BY_ERRNO = {
    errno.ECONNREFUSED: "connect_refused",
    errno.ECONNRESET: "connect_reset",
    errno.EPIPE: "connect_reset",
    errno.ETIMEDOUT: "connect_timeout",
    errno.EHOSTUNREACH: "connect_unreachable",
    errno.ENETUNREACH: "connect_unreachable",
    errno.EMFILE: "generator_descriptors",
    errno.ENFILE: "generator_descriptors",
    errno.EADDRNOTAVAIL: "generator_ports",
    errno.ENOBUFS: "generator_memory",
    errno.ENOMEM: "generator_memory",
}

_BY_TYPE: tuple[tuple[type[Exception], str], ...] = (
    (SourceAddressError, "generator_source_address"),
    (websocket.WebSocketTimeoutException, "connect_timeout"),
    (TimeoutError, "connect_timeout"),
    (ssl.SSLCertVerificationError, "tls_certificate"),
    (ssl.SSLError, "tls_failed"),
    (websocket.WebSocketAddressException, "dns_failed"),
    (socket.gaierror, "dns_failed"),
    (websocket.WebSocketConnectionClosedException, "connect_reset"),
)
"""The more special type first."""


class HandshakeError(Exception):
    """The connection did not come about; the message is the reason it is counted under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to connect, and how."""

    url: str
    timeout_s: float
    headers: tuple[str, ...] = ()
    subprotocols: tuple[str, ...] = ()
    source_address: str | None = None
    """Local address to leave from; None lets the kernel choose."""
    offers_compression: bool = False


class Opened(NamedTuple):
    """A connection after the upgrade."""

    socket: Any
    compression: Deflate | None = None
    """What target and client agreed on."""


def open_websocket(endpoint: Endpoint) -> Opened:
    """Return the connection after the upgrade. Raises HandshakeError with the reason."""
    client = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    headers = list(endpoint.headers)
    if endpoint.offers_compression:
        headers.append(f"Sec-WebSocket-Extensions: {OFFER}")
    connected = None
    try:
        # Sockets' own timeouts begin anew with every byte that a slow target lets drip.
        with gevent.Timeout(endpoint.timeout_s, TimeoutError):
            connected = connected_socket(endpoint.url, endpoint.source_address, endpoint.timeout_s)
            client.connect(
                endpoint.url,
                socket=ResponseHead(connected),
                timeout=endpoint.timeout_s,
                header=headers,
                subprotocols=list(endpoint.subprotocols) or None,
                redirect_limit=0,
            )
        answer = client.headers.get("sec-websocket-extensions")
        compression = agreed(answer, is_offered=endpoint.offers_compression)
    except (OSError, websocket.WebSocketException, ValueError, NegotiationError) as error:
        if connected is not None:
            connected.close()
        raise HandshakeError(failure_reason(error)) from error
    client.sock = None
    return Opened(connected, compression)


def failure_reason(error: Exception) -> str:
    """Return the word under which *error* is counted; without ports or addresses in it."""
    if isinstance(error, websocket.WebSocketBadStatusException) and 100 <= error.status_code < 600:
        return f"handshake_rejected_{error.status_code}"
    for kind, reason in _BY_TYPE:
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, "connect_failed")
    return "handshake_invalid"
