"""Requests over Binance's streams, and the errors they get, in the venue's words.

Source: "Live Subscribing/Unsubscribing to streams" and "Error Messages" of web-socket-streams.md,
github.com/binance/binance-spot-api-docs. Only the first error there carries the request's id.
"""

import re
from dataclasses import dataclass
from typing import Any

import orjson

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_ID = re.compile(r"[0-9A-Za-z_-]{1,36}")
_INT64 = range(-(2**63), 2**63)


class StreamError(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, code: int, message: str, **more: Any) -> None:
        super().__init__(f"{code} {message}")
        self.answer = {"code": code, "msg": message} | more


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    method: str
    params: list[Any]
    id: int | str | None


def parsed_stream_request(text: bytes) -> StreamRequest:
    """Return the request in *text*. Raises StreamError."""
    try:
        asked = orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        place = f"line {wrong.lineno} column {wrong.colno}"
        raise StreamError(3, f"Invalid JSON: expected value at {place}") from None
    method = asked.get("method") if isinstance(asked, dict) else None
    if method is None:
        raise _invalid(f"missing field `method` at line 1 column {len(text)}")
    if method not in METHODS:
        ends = text.find(str(method).encode()) + len(str(method)) + 1
        known = ", ".join(f"`{name}`" for name in METHODS)
        raise _invalid(
            f"unknown variant `{method}`, expected one of {known} at line 1 column {ends}"
        )
    if "id" not in asked or not _is_id(asked["id"]):
        raise _invalid("request ID must be an unsigned integer")
    params = asked.get("params", [])
    if not isinstance(params, list):
        raise _invalid("property name must be a string")
    return StreamRequest(method=method, params=params, id=asked["id"])


def stream_names(request: StreamRequest) -> list[str]:
    """Return the streams that a request names. Raises StreamError."""
    if not all(isinstance(name, str) for name in request.params):
        raise _invalid("property name must be a string")
    return list(dict.fromkeys(request.params))


def property_asked_for(request: StreamRequest) -> bool | None:
    """Return what the only property there is shall be; None for GET_PROPERTY. Raises StreamError."""
    values = request.params[1:]
    if not request.params or not isinstance(request.params[0], str):
        raise _invalid("property name must be a string")
    if request.params[0] != "combined":
        raise StreamError(0, "Unknown property", id=request.id)
    if len(values) > (request.method == "SET_PROPERTY"):
        raise too_many()
    if request.method == "GET_PROPERTY":
        return None
    if not values or not isinstance(values[0], bool):
        raise StreamError(1, "Invalid value type: expected Boolean")
    return values[0]


def too_many() -> StreamError:
    return _invalid("too many parameters")


def _invalid(what: str) -> StreamError:
    return StreamError(2, f"Invalid request: {what}")


def _is_id(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return value in _INT64
    return value is None or (isinstance(value, str) and _ID.fullmatch(value) is not None)
