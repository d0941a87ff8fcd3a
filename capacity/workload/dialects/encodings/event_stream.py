"""Server-sent events as objects: {event: message, id: "7", data: content}."""

from typing import Any

import orjson

_KEPT = {b"event": "event", b"id": "id", b"retry": "retry"}
_DATA = b"data"


def parse(message: bytes | bytearray | memoryview) -> dict[str, Any]:
    """Return an event by its lines. Raises orjson.JSONDecodeError for lines without data."""
    found: dict[str, Any] = {"event": "message"}
    data: list[bytes] = []
    for line in bytes(message).split(b"\n"):
        name, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if name == _DATA:
            data.append(value)
        elif name in _KEPT and value:
            found[_KEPT[name]] = value.decode(errors="backslashreplace")
    if not data:
        raise orjson.JSONDecodeError("no event with data", "", 0)
    content = data[0] if len(data) == 1 else b"\n".join(data)
    try:
        found["data"] = orjson.loads(content)
    except orjson.JSONDecodeError:
        found["data"] = content.decode(errors="backslashreplace")
    return found
