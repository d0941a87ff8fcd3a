"""Where connections lead, and how: the target file and the dialect taken together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from capacity.settings.secrets import header_values
from capacity.settings.target import Target
from capacity.settings.targets.certificates import Certificates
from capacity.workload.dialects.address import websocket_url
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.endpoints import Transport
from capacity.workload.dialects.values import NOTHING

HTTPS_PORT = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to connect, and how."""

    url: str
    timeout_s: float
    headers: tuple[str, ...] = ()
    """Lines that go with the request."""
    host: str | None = None
    """Host header; None for what the URL leads to."""
    subprotocols: tuple[str, ...] = ()
    source_address: str | None = None
    """Local address to leave from; None lets the kernel choose."""
    certificates: Certificates | None = None
    """Whom to trust, where not the system's authorities, and as whom to appear."""
    proxy: str | None = None
    """URL of the HTTP proxy to connect through."""
    offers_compression: bool = False
    receive_buffer_bytes: int | None = None
    """What the kernel keeps of what is not read yet; None lets it choose, up to megabytes."""
    is_stamped: bool = False
    """The kernel says when the answer to the upgrade arrived, as far as it can."""
    transport: Transport = "websocket"
    """What is spoken there."""
    max_message_bytes: int = 16 * 2**20
    """Of what is no WebSocket."""
    next_headers: Mapping[str, str] = field(default_factory=dict)
    """Header of a long poll -> header of the answer before that has its value."""
    cursor: str | None = None
    """Where another connection came to, as the target told it."""


def host_by_certificate(target: Target) -> str | None:
    """Return the Host of a target that is reached under another name than its certificate has."""
    name = target.certificates.server_name if target.certificates is not None else None
    if name is None:
        return None
    return name if target.port == HTTPS_PORT else f"{name}:{target.port}"


def endpoint_of(
    target: Target,
    dialect: Dialect,
    channels: Sequence[str],
    source_address: str | None = None,
    values: Mapping[str, Any] = NOTHING,
) -> Endpoint:
    """Return the endpoint for a connection that follows *channels*.

    *values* are those that its address and headers may hold. Raises ConfigError where a header's
    value cannot be had.
    """
    layers = (("ws.headers", dialect.ws.headers), ("headers", target.headers))
    headers = header_values(layers, values)
    host = next((headers.pop(name) for name in list(headers) if name.lower() == "host"), None)
    return Endpoint(
        url=websocket_url(
            dialect,
            host=target.host,
            port=target.port,
            tls=target.tls,
            channels=channels,
            values=values,
        ),
        timeout_s=dialect.ws.open_timeout_s,
        headers=tuple(f"{name}: {value}" for name, value in headers.items()),
        host=host or host_by_certificate(target),
        subprotocols=dialect.ws.subprotocols,
        source_address=source_address,
        certificates=target.certificates,
        proxy=target.proxy,
        offers_compression=dialect.ws.compression == "deflate",
        transport=dialect.ws.transport,
        max_message_bytes=dialect.ws.max_message_bytes,
        next_headers=dialect.ws.next_headers,
    )
