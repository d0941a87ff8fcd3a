"""A dialect: what a target's protocol looks like on the wire, as plain data.

Three notations carry it.
Template: a JSON tree; a text that is exactly `{name}`, `{name:int}`, `{name:str}` or
`{name:list}` becomes that value with its type, inside a longer text the value is written in. Beside
{id}, {channel} and {channels:list} there are {connection} (its number, from 0), {now_s}, {now_ms} and
{now_us} (epoch time; no two of a process are the same {now_us}), {nonce} (32 random digits and
letters), {now_ms+10000} and the like (a time and as much more, in its own unit), and all names of
`needs`, `signatures` and `keep`. {channel.path} is a part of what stands for the channel in requests; a
key whose part the channel has not is left out. An answer to a frame may also hold that frame's values: {ping}, {params.time}, or, where a
name means something else, {$.id}.
Path: keys joined by dots, from the frame's root; whole numbers index lists, -1 is the last. Inside `time` and
`sequence` a path starts at the item, and at the frame's root when written `$.like.this`.
Matcher: path -> what stands there: a plain value (equal, of the same type), or one of
{exists: bool}, {equals: value}, {in: [values]}, {regex: text}; all entries must hold.
Name: where a frame tells its channel: a path, or a text with paths in braces, {arg.channel}:{arg.id};
{symbol:lower} puts in small letters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from capacity.workload.dialects.answers import VALIDATION
from capacity.workload.dialects.channel_requests import Channel
from capacity.workload.dialects.encodings.payload import Messages
from capacity.workload.dialects.endpoints import Headers, Http, WebSocket
from capacity.workload.dialects.matching import Matcher
from capacity.workload.dialects.moment import Time
from capacity.workload.dialects.order_entry import OrderEntry
from capacity.workload.dialects.sending import Heartbeat, Step, Subscribe, Unsubscribe
from capacity.workload.dialects.sequence import Sequence
from capacity.workload.dialects.signature import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    __pydantic_config__: ClassVar = VALIDATION
    where: Matcher
    """Tells updates from everything else."""
    key: str | None = None
    """Path of the channel's wire name, or a text with paths in braces that makes it; without it all
    updates belong to the first channel."""
    items: str | None = None
    """Path of the update, or of a list of them; without it the frame itself is the update, be it a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One REST request that pollers can make."""

    __pydantic_config__: ClassVar = VALIDATION
    path: str
    """Path after http.base, from {symbol} and what the target file gives for `needs`: what is its own
    for each connection, and {connection}, only where the operation hands out a value."""
    method: Literal["GET", "POST"] = "GET"
    """HTTP method."""
    query: Mapping[str, Any] = field(default_factory=dict)
    """Template of the query, likewise."""
    body: Any = None
    """Template of the JSON body, likewise."""
    headers: Headers = field(default_factory=dict)
    """Headers of this request, before those of http."""
    weight: float = 1.0
    """What one such request takes of http.total_weight_per_s."""
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
    time: Time | tuple[Time, ...] | None = None
    """Where an update says when it was published; of several the first that leads to a time counts
    (the coarser unit first: ns read as ms are no time, ms read as ns are one in 1970)."""
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

    @property
    def times(self) -> tuple[Time, ...]:
        """Return where updates say when they were published, in the order in which they are tried."""
        if self.time is None:
            return ()
        return (self.time,) if isinstance(self.time, Time) else self.time

    @property
    def has_aliases(self) -> bool:
        """Updates carry names that confirmations handed out."""
        ack = self.subscribe.ack if self.subscribe else None
        return ack is not None and ack.alias is not None

    def headers_by_key(self) -> list[tuple[str, Headers]]:
        """Return all headers, each part with the key that it stands under."""
        http = [] if self.http is None else [("http.headers", self.http.headers)]
        rest = [(f"rest.{name}.headers", each.headers) for name, each in self.rest.items()]
        return [("ws.headers", self.ws.headers), *http, *rest]
