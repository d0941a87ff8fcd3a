"""Where connections lead, and how: the target file and the dialect taken together."""

from collections.abc import Sequence
from dataclasses import dataclass

from capacity.settings.target import Certificates, Target
from capacity.workload.address import websocket_url
from capacity.workload.dialect import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to connect, and how."""

    url: str
    timeout_s: float
    headers: tuple[str, ...] = ()
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


def endpoint_of(
    target: Target, dialect: Dialect, channels: Sequence[str], source_address: str | None = None
) -> Endpoint:
    """Return the WebSocket endpoint for a connection that follows *channels*."""
    return Endpoint(
        url=websocket_url(
            dialect, host=target.host, port=target.port, tls=target.tls, channels=channels
        ),
        timeout_s=dialect.ws.open_timeout_s,
        headers=tuple(f"{name}: {value}" for name, value in dialect.ws.headers.items()),
        subprotocols=dialect.ws.subprotocols,
        source_address=source_address,
        certificates=target.certificates,
        proxy=target.proxy,
        offers_compression=dialect.ws.compression == "deflate",
    )
