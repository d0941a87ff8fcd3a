"""MQTT 3.1.1 packets as objects, as far as a subscriber meets them (OASIS, sections 2 and 3).

A packet is whole within a frame: what is left over is a message that is no packet.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from capacity.workload.dialects.encodings.varint import varint, varint_at

_TYPES = ("", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE")
TYPES = (*_TYPES, "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT")
"""Name of a packet by the number of its type."""
_FLAGS = {"SUBSCRIBE": 2, "UNSUBSCRIBE": 2}
_CLEAN_SESSION, _USER, _PASSWORD = 0x02, 0x80, 0x40
_QOS = 0x06


def divide(payload: bytes) -> list[bytes]:
    """Return the packets in *payload*."""
    parts: list[bytes] = []
    at = 0
    while at < len(payload):
        length, begins = varint_at(payload, at + 1)
        if length < 0 or begins + length > len(payload):
            return [*parts, payload[at:]]
        parts.append(payload[at : begins + length])
        at = begins + length
    return parts or [payload]


def parse(message: bytes | bytearray | memoryview) -> dict[str, Any]:
    """Return a packet as an object. Raises orjson.JSONDecodeError for what is none."""
    packet = bytes(message)
    length, at = varint_at(packet, 1)
    if length < 0 or at + length != len(packet) or not 0 < packet[0] >> 4 < len(TYPES):
        raise orjson.JSONDecodeError("no MQTT packet", "", 0)
    kind, body = TYPES[packet[0] >> 4], packet[at:]
    found: dict[str, Any] = {"type": kind}
    if kind == "PUBLISH":
        return found | _published(body, has_id=bool(packet[0] & _QOS))
    if kind == "CONNACK" and length == 2:
        return {**found, "code": body[1]}
    if kind not in {"CONNECT", "CONNACK"} and length >= 2:
        found["id"] = int.from_bytes(body[:2], "big")
    if kind == "SUBACK":
        found["codes"] = list(body[2:])
    return found


def written(tree: Any) -> bytes:
    """Return the packet that *tree* describes. Raises KeyError, TypeError or ValueError if it is none."""
    kind = tree["type"]
    body = _BODIES.get(kind, _nothing)(tree)
    return bytes((TYPES.index(kind) << 4 | _FLAGS.get(kind, 0),)) + varint(len(body)) + body


def _published(body: bytes, *, has_id: bool) -> dict[str, Any]:
    size = int.from_bytes(body[:2], "big")
    topic, rest = body[2 : 2 + size], body[2 + size :]
    found: dict[str, Any] = {"topic": topic.decode(errors="backslashreplace")}
    if has_id:
        found["id"], rest = int.from_bytes(rest[:2], "big"), rest[2:]
    try:
        found["body"] = orjson.loads(rest)
    except orjson.JSONDecodeError:
        found["body"] = rest.decode(errors="backslashreplace")
    return found


def _text(text: Any) -> bytes:
    encoded = str(text).encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _connect(tree: Mapping[str, Any]) -> bytes:
    user, password = tree.get("user"), tree.get("password")
    flags = _CLEAN_SESSION | (_USER if user is not None else 0)
    flags |= _PASSWORD if password is not None else 0
    head = _text("MQTT") + bytes((4, flags)) + int(tree.get("keep_alive_s", 0)).to_bytes(2, "big")
    given = [each for each in (user, password) if each is not None]
    return head + b"".join(_text(each) for each in (tree.get("client", ""), *given))


def _id(tree: Mapping[str, Any]) -> bytes:
    return int(tree["id"]).to_bytes(2, "big")


def _subscribe(tree: Mapping[str, Any]) -> bytes:
    return _id(tree) + b"".join(_text(topic) + b"\0" for topic in tree["topics"])


def _unsubscribe(tree: Mapping[str, Any]) -> bytes:
    return _id(tree) + b"".join(_text(topic) for topic in tree["topics"])


def _nothing(_tree: Mapping[str, Any]) -> bytes:
    return b""


_BODIES: dict[str, Callable[[Mapping[str, Any]], bytes]] = {
    "CONNECT": _connect,
    "SUBSCRIBE": _subscribe,
    "UNSUBSCRIBE": _unsubscribe,
    "PUBACK": _id,
    "PINGREQ": _nothing,
    "DISCONNECT": _nothing,
}
SENT = tuple(_BODIES)
"""Packets that can be sent."""
