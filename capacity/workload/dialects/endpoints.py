"""The `ws` and `http` sections of a dialect: where connections and requests go, and over what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from capacity.workload.dialects.answers import VALIDATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A value that is not written down here. Exactly one of the keys."""

    __pydantic_config__: ClassVar = VALIDATION
    file: str | None = None
    """File that holds it, without its last newline; relative to the file that names it."""
    env: str | None = None
    """Variable of the environment that holds it, on every host of the generator."""


Headers = Mapping[str, str | Secret]
Transport = Literal["websocket", "event_stream", "long_poll"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocket:
    __pydantic_config__: ClassVar = VALIDATION
    url: str
    """Address of the endpoint, from {scheme} (ws or wss, by transport http or https), {host}, {port} and, where the address
    names what is followed, {channel} or {channels} (joined by commas); {connection} and what the
    target file gives for `needs` besides."""
    idle_channel: str | None = None
    """Channel that the address of a connection without subscriptions names; nobody publishes to it."""
    transport: Transport = "websocket"
    """What is spoken at the address. event_stream: server-sent events, each read as an object
    {event: name, id: text, data: content}, its content as JSON where it is; after a loss the id of the
    last one is sent as Last-Event-ID. long_poll: each answer to a GET is a message, and the next
    request follows at once on the same connection. Over both nothing else is sent."""
    next_headers: Mapping[str, str] = field(default_factory=dict)
    """Header of the next long poll -> header of the answer whose value it takes, such as
    If-None-Match: Etag."""
    subprotocols: tuple[str, ...] = ()
    """WebSocket subprotocols to offer."""
    headers: Headers = field(default_factory=dict)
    """Headers of the handshake, each in place of what would be sent by itself, such as Host. A text
    may hold what the target file gives for `needs`: "Bearer {token}"."""
    requests_per_s: float | None = None
    """Most requests of one connection in a second; null sends all at once. Answers to frames of the
    target are not held back."""
    total_requests_per_s: float | None = None
    """Most requests of all connections together in a second, private ones included, shared evenly by the workers, where
    the target counts those of an address: 0.13 is 480 in an hour. Connections open no faster than these requests can be sent.
    Orders over WebSockets take their part first: a profile whose orders leave nothing is refused. Of two dialects the lower
    rate holds. Answers and heartbeats are left out; null bounds nothing."""
    open_timeout_s: float = 10.0
    """Longest time from TCP connect to the end of the handshake, in seconds."""
    max_message_bytes: int = 16 * 2**20
    """A longer message ends the connection; what counts is its size after decompression. So does
    a longer answer to a poll, as it comes."""
    compression: Literal["none", "deflate"] = "none"
    """deflate offers permessage-deflate as browsers do, and the target decides; inflating costs
    the generator a few microseconds a message and up to 45 kB a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    __pydantic_config__: ClassVar = VALIDATION
    base: str
    """Address before every REST path, from {scheme} (http or https), {host} and {port}."""
    headers: Headers = field(default_factory=dict)
    """Headers of every request, as in ws.headers."""
    total_weight_per_s: float | None = None
    """Most weight of all requests of a run by REST in a second, where the target counts what an address asks for: 100 is
    6,000 a minute. Polls, orders, what hands out values before connects, and the comparison of freshness. A profile that asks
    for more is refused; of two dialects the lower one holds; null bounds nothing."""
