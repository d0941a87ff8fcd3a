"""Messages that are text and no JSON, such as STOMP's and NATS', read by a regular expression."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

_BLANK = b" \t\r\n\0"
BODY = "body"
"""The group that is read as JSON where it is JSON."""


class Pattern:
    """Each match of the expression is a message: an object with the groups that took part."""

    def __init__(self, expression: str) -> None:
        """Raise re.error for what is no expression."""
        self._find = re.compile(expression.encode())
        self._whole: re.Match[bytes] | None = None
        """How the last payload that was one message was found to be."""

    def divide(self, payload: bytes) -> list[bytes]:
        """Return the messages in *payload*, and what lies between them as messages that fit nothing."""
        found = self._find.match(payload)
        if found is not None and found.end() == len(payload) > 0:
            self._whole = found
            return [payload]
        parts: list[bytes] = []
        done = 0
        for found in self._find.finditer(payload):
            if found.end() == found.start():
                continue
            if payload[done : found.start()].strip(_BLANK):
                parts.append(payload[done : found.start()])
            parts.append(found[0])
            done = found.end()
        if payload[done:].strip(_BLANK):
            parts.append(payload[done:])
        return parts or [payload]

    def parse(self, message: bytes | bytearray | memoryview) -> dict[str, Any]:
        """Return the groups of *message*. Raises orjson.JSONDecodeError where it does not fit."""
        found = self._whole
        if found is None or found.string is not message:
            found = self._find.fullmatch(message)
        if found is None:
            raise orjson.JSONDecodeError("does not fit messages.pattern", "", 0)
        return {
            name: _body(value) if name == BODY else value.decode(errors="backslashreplace")
            for name, value in found.groupdict().items()
            if value is not None
        }


@lru_cache(maxsize=32)
def pattern_of(expression: str) -> Pattern:
    """Return *expression* as a pattern that divides and parses. Raises re.error."""
    return Pattern(expression)


def written(tree: Any) -> bytes:
    """Return *tree* as it is sent: a text as it stands, everything else as JSON."""
    return tree.encode() if type(tree) is str else orjson.dumps(tree)


def _body(value: bytes) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value.decode(errors="backslashreplace")


Parse = Callable[[bytes | bytearray | memoryview], Any]
"""Message -> parsed. Raises orjson.JSONDecodeError."""
