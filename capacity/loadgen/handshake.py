"""Opens a WebSocket with websocket-client and hands its socket over, ready for the epoll set."""

import errno
import ssl
from dataclasses import dataclass
from typing import Any

import websocket

GENERATOR_FAULTS = frozenset({"generator_descriptors", "generator_ports", "generator_memory"})
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
    (websocket.WebSocketTimeoutException, "connect_timeout"),
    (TimeoutError, "connect_timeout"),
    (ssl.SSLCertVerificationError, "tls_certificate"),
    (ssl.SSLError, "tls_failed"),
    (websocket.WebSocketAddressException, "dns_failed"),
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


def open_websocket(endpoint: Endpoint) -> Any:
    """Return the connected socket after the upgrade. Raises HandshakeError with the reason."""
    client = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    try:
        client.connect(
            endpoint.url,
            timeout=endpoint.timeout_s,
            header=list(endpoint.headers),
            subprotocols=list(endpoint.subprotocols) or None,
            redirect_limit=0,
            # The environment's proxy must not come between the generator and its target.
            http_no_proxy=["*"],
        )
    except (OSError, websocket.WebSocketException, ValueError) as error:
        raise HandshakeError(failure_reason(error)) from error
    finished, client.sock = client.sock, None
    return finished


def failure_reason(error: Exception) -> str:
    """Return the word under which *error* is counted; without ports or addresses in it."""
    if isinstance(error, websocket.WebSocketBadStatusException):
        return f"handshake_rejected_{error.status_code}"
    for kind, reason in _BY_TYPE:
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, "connect_failed")
    return "handshake_invalid"
