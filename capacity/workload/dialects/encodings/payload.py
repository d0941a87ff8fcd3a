"""What is within a WebSocket message: how it is packed and divided, and what it is that is no JSON.

Nothing raises: what cannot be unpacked or divided is handed on as it came, and whoever reads it says
what it is. No message unpacks to more than its limit.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import ClassVar, Literal

import orjson

from capacity.workload.dialects.answers import VALIDATION
from capacity.workload.dialects.encodings import mqtt
from capacity.workload.dialects.encodings.patterned import pattern_of
from capacity.workload.dialects.encodings.varint import varint, varint_at
from capacity.workload.dialects.matching import getter

Packing = Literal["none", "gzip", "zlib", "deflate", "brotli", "zstd"]
MODULES = {"brotli": "brotli", "zstd": "zstandard"}
"""Packing -> the library that it needs."""
_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "zlib": zlib.MAX_WBITS, "deflate": -zlib.MAX_WBITS}
_ENDS = {"newline": b"\n", "record_separator": b"\x1e", "nul": b"\0"}
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x78\x01", "zlib"))
_MORE_ZLIB = (b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_NO_NUMBERS = (b"NaN", b"Infinity")
_MOST_LOOKED_AT = 1 << 16
_MOST_READABLE = 1 << 24

Unpack = Callable[[bytes], bytes | None]
Divide = Callable[[bytes], list[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """What is within a WebSocket message, before anything of it is read."""

    __pydantic_config__: ClassVar = VALIDATION
    packing: Packing = "none"
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
    content: Literal["json", "opaque", "mqtt", "sbe"] = "json"
    """opaque: what is not JSON is an update too, which is only counted, such as protobuf. mqtt: packets of
    MQTT 3.1.1, read and written as objects: {type: PUBLISH, topic: ..., body: ...}. sbe: Simple Binary
    Encoding, read as {template: name, body: {field: value}}, beside JSON."""
    schema: str | None = None
    """XML file with the schema of sbe, relative to the dialect's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """How the messages of one dialect are wrapped."""

    unpack: Unpack | None
    divide: Divide | None
    divider: str

    def messages(self, payload: bytes) -> Sequence[bytes]:
        """Return the messages in *payload*; *payload* itself where it is wrapped in no such way."""
        if self.unpack is not None:
            payload = self.unpack(payload) or payload
        return (payload,) if self.divide is None else self.divide(payload)

    def wrapped(self, message: bytes) -> bytes:
        """Return *message* as it is sent."""
        if self.divider in {"record_separator", "nul"}:
            return message + _ENDS[self.divider]
        if self.divider == "length_u32":
            return len(message).to_bytes(4, "big") + message
        return varint(len(message)) + message if self.divider == "length_varint" else message

    def text(self, text: bytes) -> bytes:
        """Return *text*, which may be written with its end, as a message is without."""
        end = _ENDS.get(self.divider)
        return text if end is None else text.removesuffix(end)


def envelope_of(messages: Messages, most_bytes: int) -> Envelope | None:
    """Return how *messages* are wrapped; None where each is all of its frame. Raises ImportError."""
    unpack = None if messages.packing == "none" else _unpacker(messages.packing, most_bytes)
    divide = _divider(messages.divider)
    if messages.pattern is not None:
        divide = pattern_of(messages.pattern).divide
    elif messages.content == "mqtt":
        divide = mqtt.divide
    if unpack is None and divide is None:
        return None
    return Envelope(unpack=unpack, divide=divide, divider=messages.divider)


def missing_library(packing: str) -> str | None:
    """Return the library that *packing* needs and that is not here; None if nothing is missing."""
    module = MODULES.get(packing)
    return module if module is not None and find_spec(module) is None else None


def _unpacker(packing: str, most_bytes: int) -> Unpack:
    if packing in _WINDOWS:
        return _inflater(_WINDOWS[packing], most_bytes)
    library = import_module(MODULES[packing])
    if packing == "zstd":

        def unzstd(payload: bytes) -> bytes | None:
            try:
                unpacked = library.ZstdDecompressor().decompressobj().decompress(payload)
            except library.ZstdError:
                return None
            return unpacked if len(unpacked) <= most_bytes else None

        return unzstd

    def unbrotli(payload: bytes) -> bytes | None:
        unpacker = library.Decompressor()
        try:
            unpacked: bytes = unpacker.process(payload)
        except library.error:
            return None
        return unpacked if unpacker.is_finished() and len(unpacked) <= most_bytes else None

    return unbrotli


def _inflater(window_bits: int, most_bytes: int) -> Unpack:
    new = zlib.decompressobj

    def inflate(payload: bytes) -> bytes | None:
        """Return all members of *payload*, one after the other; None where one is broken."""
        parts, size, rest = [], 0, payload
        try:
            while rest:
                member = new(window_bits)
                parts.append(member.decompress(rest, most_bytes - size + 1))
                size += len(parts[-1])
                if not member.eof or size > most_bytes:
                    return None
                rest = member.unused_data
        except zlib.error:
            return None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    return inflate


def _divider(name: str) -> Divide | None:
    if name == "none":
        return None
    if name in _ENDS:
        return _divider_by(_ENDS[name])
    length_at = _u32_at if name == "length_u32" else varint_at

    def divide(payload: bytes) -> list[bytes]:
        parts: list[bytes] = []
        at = 0
        while at < len(payload):
            length, at = length_at(payload, at)
            if length < 0 or at + length > len(payload):
                return [*parts, payload[at:]]
            parts.append(payload[at : at + length])
            at += length
        return parts or [payload]

    return divide


def _divider_by(end: bytes) -> Divide:
    def divide(payload: bytes) -> list[bytes]:
        at = payload.find(end)
        if at < 0:
            return [payload]
        if at == len(payload) - 1 and payload[:1] > b" ":
            return [payload[:at]]
        return [part for part in payload.split(end) if part.strip()] or [payload]

    return divide


def _u32_at(payload: bytes, at: int) -> tuple[int, int]:
    """Return the length that stands at *at*, and what follows it; -1 where there is none."""
    if at + 4 > len(payload):
        return -1, at
    return int.from_bytes(payload[at : at + 4], "big"), at + 4


def looks_packed(payload: bytes) -> str | None:
    """Return how *payload* seems to be packed, by how it begins."""
    for magic, packing in _MAGIC:
        if payload.startswith(magic):
            return packing
    return "zlib" if payload.startswith(_MORE_ZLIB) else None


def readable(payload: bytes) -> bytes:
    """Return *payload* unpacked, by how it begins; itself where it is not packed or cannot be unpacked."""
    packing = looks_packed(payload)
    if packing is None or missing_library(packing) is not None:
        return payload
    return _unpacker(packing, _MOST_READABLE)(payload) or payload


def what_is_no_json(payload: bytes) -> str:
    """Return what is wrong with *payload*, which orjson did not take, and the key that helps."""
    if not payload.strip():
        return "empty"
    packing = looks_packed(payload)
    if packing is not None:
        return f"packed by {packing} (messages.packing of the dialect)"
    head = payload[:_MOST_LOOKED_AT]
    if len(head) == len(payload) and any(word in payload for word in _NO_NUMBERS):
        try:
            json.loads(payload)
        except (ValueError, RecursionError):
            pass
        else:
            return "NaN or Infinity is no JSON (RFC 8259, section 6)"
    for name, end in _ENDS.items():
        parts = [part for part in head.split(end) if part.strip()]
        if end in head.strip(b" \r\n") and all(_is_json(part) for part in parts[:2]):
            return f"divided by {name} (messages.divider of the dialect)"
    return "not JSON"


def hint_for(payload: bytes) -> str | None:
    """Return what would have *payload* understood, if its bytes tell; None if they do not."""
    if _is_json(payload):
        return None
    what = what_is_no_json(payload)
    kind, _, rest = what.partition(" by ")
    if rest:
        key = "packing" if kind == "packed" else "divider"
        return f"set messages.{key} of the dialect to {rest.partition(' ')[0]}"
    if what.startswith("NaN"):
        return (
            "have the target write null instead of NaN: browsers cannot read such messages either"
        )
    return _hint_for_no_json(payload)


def _hint_for_no_json(payload: bytes) -> str | None:
    """Return what to look at where nothing tells how *payload* is packed or divided."""
    begin = payload.lstrip()[:1]
    if begin in {b"{", b"["}:
        return (
            "look at what the target sends: this begins as JSON and is none, as where it is cut or written"
            " by hand"
        )
    if begin and not payload[:_MOST_LOOKED_AT].decode(errors="ignore").isprintable():
        return (
            "set messages.packing of the dialect if these bytes are packed in a way that none begins with,"
            " or messages.content: opaque to count them without reading them"
        )
    return (
        "describe this text in messages.pattern of the dialect, as stomp.yaml and nats.yaml do, or name it"
        " in heartbeat by when_text"
        if begin
        else None
    )


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def entries_of(list_path: str) -> Callable[[object], Iterator[object]]:
    """Return the function that yields the messages in a parsed frame: the entries of its list.

    A frame without that list is a message itself.
    """
    get = None if list_path == "$" else getter(list_path)

    def entries(frame: object) -> Iterator[object]:
        found = frame if get is None else get(frame)
        if type(found) is list:
            yield from found
        else:
            yield frame

    return entries
