"""Opens a WebSocket with websocket-client and hands its socket over, ready for the epoll set."""

import errno
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import MappingProxyType
from typing import Any, NamedTuple

import websocket

from capacity.domain.errors import ConfigError
from capacity.loadgen.wire.compression import OFFER, Deflate, NegotiationError, agreed
from capacity.loadgen.wire.deadline import in_time
from capacity.loadgen.wire.dialing import Laps, dial
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.proxy import ProxyError
from capacity.loadgen.wire.response_head import ResponseHead
from capacity.loadgen.wire.source_addresses import SourceAddressError
from capacity.loadgen.wire.streams.readers import Reader

GENERATOR_FAULTS = frozenset(
    {
        "generator_certificates",
        "generator_descriptors",
        "generator_memory",
        "generator_no_row",
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
    (ConfigError, "generator_certificates"),
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

_OF_OUR_CERTIFICATE = re.compile("ALERT_.*(CERTIFICATE|UNKNOWN_CA)")
"""Alerts (RFC 8446, section 6.2) by which a target refuses who we are, or that we did not say."""

_TROUBLE = (OSError, websocket.WebSocketException, ValueError, NegotiationError, ConfigError)

Told = list[tuple[str | None, str | None]]
"""What a target says that refuses, and for how long; a way to open a connection adds to it."""


class HandshakeError(Exception):
    """The connection did not come about; the message is the reason it is counted under."""

    def __init__(
        self,
        reason: str,
        told: str | None = None,
        *,
        is_connected: bool = False,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        """The header of that name of a refusal."""
        self.told = told
        """What the target's answer says, in one line; None where it gave none."""
        self.is_connected = is_connected
        """Whether somebody had accepted the connection."""


class Opened(NamedTuple):
    """A connection that messages may come over."""

    socket: Any
    compression: Deflate | None = None
    """What target and client agreed on."""
    phases_us: Mapping[str, int] = MappingProxyType({})
    """How long each of dns, tcp, proxy, tls and upgrade took that was needed, in microseconds."""
    arrived_at_s: float | None = None
    """When the kernel received the answer, epoch seconds; None where it was not asked, or over TLS."""
    reader: Reader | None = None
    """Reads what comes; None where that are WebSocket frames."""


def open_websocket(endpoint: Endpoint) -> Opened:
    """Return the connection after the upgrade. Raises HandshakeError with the reason."""
    return opened_by(_upgraded, endpoint)


def opened_by(way: Callable[[Endpoint, Laps, Told], Opened], endpoint: Endpoint) -> Opened:
    """Return the connection that *way* opens in the endpoint's time. Raises HandshakeError with the reason."""
    laps, told = Laps(), Told()
    try:
        return in_time(endpoint.timeout_s, lambda: way(endpoint, laps, told))
    except _TROUBLE as error:
        said, retry_after = told[0] if told else (None, None)
        raise HandshakeError(
            failure_reason(error), said, is_connected="tcp" in laps.us, retry_after=retry_after
        ) from error


def _upgraded(endpoint: Endpoint, laps: Laps, told: Told) -> Opened:
    client = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    headers = list(endpoint.headers)
    if endpoint.offers_compression:
        headers.append(f"Sec-WebSocket-Extensions: {OFFER}")
    connected, _laps = dial(endpoint, laps)
    head = ResponseHead(connected, is_stamped=endpoint.is_stamped)
    with ExitStack() as undone:  # Also when the greenlet is killed.
        undone.callback(connected.close)
        try:
            client.connect(
                endpoint.url,
                socket=head,
                timeout=endpoint.timeout_s,
                header=headers,
                host=endpoint.host,
                suppress_origin=True,
                subprotocols=list(endpoint.subprotocols),
                redirect_limit=0,
            )
            laps.end("upgrade")
            answer = client.headers.get("sec-websocket-extensions")
            compression = agreed(answer, is_offered=endpoint.offers_compression)
        except websocket.WebSocketException:
            told.append((head.told(), head.header("retry-after")))
            raise
        undone.pop_all()
    client.sock = None
    return Opened(connected, compression, laps.us, head.arrived_at_s)


def failure_reason(error: Exception) -> str:
    """Return the word under which *error* is counted; without ports or addresses in it."""
    if isinstance(error, websocket.WebSocketBadStatusException):
        status = error.status_code or 0  # None after an empty line.
        return f"handshake_rejected_{status}" if 100 <= status < 600 else "handshake_invalid"
    if isinstance(error, ProxyError):
        return _proxy_reason(error)
    if isinstance(error, ssl.SSLError) and _OF_OUR_CERTIFICATE.search(str(error)):
        return "tls_client_certificate"
    for kind, reason in _BY_TYPE:
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, "connect_failed")
    return "handshake_invalid"


def _proxy_reason(error: ProxyError) -> str:
    if not isinstance(error.__cause__, OSError):
        return str(error)
    reason = failure_reason(error.__cause__)
    return reason if reason in GENERATOR_FAULTS else f"proxy_{reason}"
