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

import orjson

from capacity.workload.dialects import mqtt
from capacity.workload.dialects.dialect import Messages
from capacity.workload.dialects.matching import getter
from capacity.workload.dialects.patterned import Pattern
from capacity.workload.dialects.varint import varint, varint_at

MODULES = {"brotli": "brotli", "zstd": "zstandard"}
"""Packing -> the library that it needs."""
_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "zlib": zlib.MAX_WBITS, "deflate": -zlib.MAX_WBITS}
_ENDS = {"newline": b"\n", "record_separator": b"\x1e", "nul": b"\0"}
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x78\x01", "zlib"))
_MORE_ZLIB = (b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_NO_NUMBERS = (b"NaN", b"Infinity")
_MOST_LOOKED_AT = 1 << 16

Unpack = Callable[[bytes], bytes | None]
Divide = Callable[[bytes], list[bytes]]


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
        divide = Pattern(messages.pattern).divide
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
        end = _ENDS[name]
        return lambda payload: [part for part in payload.split(end) if part.strip()] or [payload]
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
    return None


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
