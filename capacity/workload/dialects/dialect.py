"""A dialect: what a target's protocol looks like on the wire, as plain data.

Three notations carry it.
Template: a JSON tree; a text that is exactly `{name}`, `{name:int}`, `{name:str}` or
`{name:list}` becomes that value with its type, inside a longer text the value is written in. Beside
{id}, {channel} and {channels:list} there are {connection} (its number, from 0), {now_s} and {now_ms}
(epoch time), {nonce} (32 random digits and letters), and all names of `needs`, `signatures` and
`keep`. An answer to a frame may also hold that frame's values: {ping}, {params.time}, or, where a
name means something else, {$.id}.
Path: keys joined by dots, from the frame's root; whole numbers index lists. Inside `time` and
`sequence` a path starts at the item, and at the frame's root when written `$.like.this`.
Matcher: path -> what stands there: a plain value (equal, of the same type), or one of
{exists: bool}, {equals: value}, {in: [values]}, {regex: text}; all entries must hold.
Name: where a frame tells its channel: a path, or a text with paths in braces, {arg.channel}:{arg.id}.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from capacity.workload.dialects.answers import VALIDATION, Ack, AckError, Matcher
from capacity.workload.dialects.order_entry import OrderEntry

__all__ = ["VALIDATION", "Ack", "AckError", "Matcher"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """What is within a WebSocket message, before anything of it is read."""

    __pydantic_config__: ClassVar = VALIDATION
    packing: Literal["none", "gzip", "zlib", "deflate", "brotli", "zstd"] = "none"
    """How the target packs its messages, beside permessage-deflate; deflate is the bare stream
    (RFC 1951). What comes unpacked all the same is read as it is; requests are never packed."""
    divider: Literal[
        "none", "newline", "record_separator", "nul", "length_u32", "length_varint"
    ] = "none"
    """What divides messages that share a frame: a newline between them; 0x1E or 0x00 at the end of
    each; or before each its length in bytes, as 4 bytes (big endian) or as a varint. Ends and
    lengths are written in requests too."""
    pattern: str | None = None
    """For messages that are text and no JSON: a regular expression of which each match is a message,
    read as an object of its named groups; (?P<body>...) is read as JSON where it is. A request whose
    template is a text is sent as it stands then."""
    list: str | None = None
    """Path of a list of which each entry is read as a message of its own; $ is the root."""
    content: Literal["json", "opaque", "mqtt"] = "json"
    """opaque: what is not JSON is an update too, which is only counted, such as protobuf. mqtt: packets of
    MQTT 3.1.1, read and written as objects: {type: PUBLISH, topic: ..., body: ...}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    __pydantic_config__: ClassVar = VALIDATION
    wire: str
    """Name of the channel on the wire, from {symbol}."""
    request: Any = None
    """Template of what stands for the channel in requests where that is not its name, from {symbol},
    such as {channel: books, instId: "{symbol}"}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    __pydantic_config__: ClassVar = VALIDATION
    send: Any
    """Template of the request, from {id} and {channels:list}, or {channel} for one frame each."""
    ack: Ack | None = None
    """How the target answers."""
    confirm: Literal["ack", "first_data", "none"] = "ack"
    """What proves a subscription: the answer, the first update, or nothing."""
    batch: int = 100
    """Most channels in one frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    __pydantic_config__: ClassVar = VALIDATION
    send: Any
    """Template of the request, as in subscribe."""
    ack: Ack | None = None
    """How the target answers; without it the subscription ends when the request is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step between the handshake and the subscriptions: something sent, or waited for, or both."""

    __pydantic_config__: ClassVar = VALIDATION
    send: Any = None
    """Template of the request, such as a login."""
    send_text: str | None = None
    """The text to send instead, as it stands."""
    answer: Ack | None = None
    """The frame that is waited for before the next step: the answer, or what the target says first."""
    answer_text: str | None = None
    """A frame of exactly this text instead."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """Name -> path in that frame of a value that later templates may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A value that is computed for the request that holds it."""

    __pydantic_config__: ClassVar = VALIDATION
    function: Literal["hmac_sha256", "hmac_sha512"]
    """Keyed hash by which it is signed."""
    key: str
    """Template of the key, such as {api_secret}."""
    text: str
    """Template of what is signed."""
    written: Literal["hex", "base64"] = "hex"
    """How the signature is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """One rule. Exactly one of when, when_text and every_s says when it applies."""

    __pydantic_config__: ClassVar = VALIDATION
    when: Any = None
    """The word connect (once, after the handshake), or a matcher of frames to react to."""
    when_text: str | None = None
    """A frame of exactly this text, which need not be JSON."""
    every_s: float | None = None
    """Interval of unasked sends, in seconds."""
    send: Any = None
    """Template of the frame to send, from {id} and, in an answer, from the frame's own values."""
    send_text: str | None = None
    """The text to send instead, as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    __pydantic_config__: ClassVar = VALIDATION
    where: Matcher
    """Tells updates from everything else."""
    key: str | None = None
    """Path of the channel's wire name, or a text with paths in braces that makes it; without it all
    updates belong to the first channel."""
    items: str | None = None
    """Path of the update, or of a list of them; without it the frame itself is the update."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    __pydantic_config__: ClassVar = VALIDATION
    path: str
    """Path of the time of publication."""
    unit: Literal["s", "ms", "us", "ns", "rfc3339"]
    """How the time is written: epoch time in that unit, or RFC 3339 text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    __pydantic_config__: ClassVar = VALIDATION
    missing: str | None = None
    """An update without this path starts the numbering anew."""
    where: Matcher | None = None
    """So does one in a frame that fits this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """One numbering rule; a channel follows the first whose `only` fits."""

    __pydantic_config__: ClassVar = VALIDATION
    rule: Literal["prev_link", "plus_one", "range", "monotonic", "none"]
    """prev_link: names its predecessor; plus_one: no number is left out; range: covers the numbers
    from first to seq, and the next begins behind them; monotonic: numbers only grow, so that
    nothing missing can be seen; none: no numbers. Texts of digits are numbers too."""
    only: str = "*"
    """Wire names the rule is for, with * and ? as in file names."""
    scope: Literal["key", "connection"] = "key"
    """What is numbered: each channel for itself, or all updates of the connection."""
    seq: str | None = None
    """Path of the number; needed by every rule but none."""
    prev: str | None = None
    """Path of the predecessor's number; needed by prev_link."""
    first: str | None = None
    """Path of the first number that an update covers; needed by range."""
    snapshot: Snapshot | None = None
    """How to tell an update that starts the numbering anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One REST request that pollers can make."""

    __pydantic_config__: ClassVar = VALIDATION
    path: str
    """Path after http.base, from {symbol}."""
    method: Literal["GET", "POST"] = "GET"
    """HTTP method."""
    query: Mapping[str, Any] = field(default_factory=dict)
    """Template of the query, from {symbol}."""
    body: Any = None
    """Template of the JSON body, from {symbol}."""
    headers: Headers = field(default_factory=dict)
    """Headers of this request, before those of http."""
    channel: str | None = None
    """Logical channel that pushes the same, for a comparison of their freshness."""
    version: str | None = None
    """Path, in the JSON answer, of the number that `sequence` reads from that channel's updates as seq."""
    time: Time | None = None
    """Where the JSON answer says when it was written, from its root; for its age when it arrives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    __pydantic_config__: ClassVar = VALIDATION
    dialect: Literal[1]
    """Version of this file format."""
    name: str
    """Name of the dialect."""
    ws: WebSocket
    """The WebSocket endpoint."""
    http: Http | None = None
    """The REST endpoint."""
    messages: Messages = field(default_factory=Messages)
    """How messages are packed and divided."""
    needs: tuple[str, ...] = ()
    """Names of values that the target file must give in `values`: keys, secrets, tokens."""
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    """Name -> signature."""
    opening: tuple[Step, ...] = ()
    """Steps before the subscriptions, in this order; a refusal ends the connection."""
    channels: Mapping[str, Channel]
    """Logical name -> channel."""
    subscribe: Subscribe | None = None
    """How to subscribe; without it the address alone decides what is followed."""
    unsubscribe: Unsubscribe | None = None
    """How to end a subscription."""
    heartbeat: tuple[Heartbeat, ...] = ()
    """What keeps a connection alive beside WebSocket pings."""
    ignore: tuple[Matcher, ...] = ()
    """Frames of no interest."""
    data: Data | tuple[Data, ...]
    """What an update looks like; of several rules the first that fits counts. Only where the content
    of messages is opaque there may be none: []."""
    time: Time | None = None
    """Where an update says when it was published."""
    sequence: tuple[Sequence, ...] = ()
    """How updates are numbered; the first rule that fits a channel counts."""
    rest: Mapping[str, Operation] = field(default_factory=dict)
    """Name -> REST operation."""
    orders: OrderEntry | None = None
    """How orders are placed, amended and cancelled, and a balance is asked for."""

    @property
    def updates(self) -> tuple[Data, ...]:
        """Return the rules for updates."""
        return (self.data,) if isinstance(self.data, Data) else self.data

    def headers_by_key(self) -> list[tuple[str, Headers]]:
        """Return all headers, each part with the key that it stands under."""
        http = [] if self.http is None else [("http.headers", self.http.headers)]
        rest = [(f"rest.{name}.headers", each.headers) for name, each in self.rest.items()]
        return [("ws.headers", self.ws.headers), *http, *rest]
