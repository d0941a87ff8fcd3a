"""JSON-RPC 2.0 in the exchange's dialect: requests in, replies with server times out.

Every reply carries usIn, usOut (microseconds, epoch) and usDiff; the id comes back exactly as it
was sent, type included, and is absent if there was none. Error codes are the venue's own.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson

Params = Mapping[str, Any]

LARGEST_REQUEST_BYTES = 32_768
TOO_MANY_REQUESTS = 10028
"""The venue's code for a request that was one too many."""


class RpcError(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, code: int, message: str, **data: Any) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.data = data

    def as_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"code": self.code, "message": self.message}
        return plain | {"data": self.data} if self.data else plain


def invalid_params(param: str, reason: str) -> RpcError:
    return RpcError(-32602, "Invalid params", reason=reason, param=param)


def now_us() -> int:
    return time.time_ns() // 1_000


def parsed_request(text: bytes) -> dict[str, Any]:
    """Return the JSON object in *text*; raise RpcError if there is none."""
    try:
        request = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RpcError(11050, "bad_request") from None
    if not isinstance(request, dict):
        raise RpcError(-32600, "Invalid Request")
    return request


def answered(text: bytes, answer: Callable[[Mapping[str, Any]], Any]) -> tuple[bool, bytes]:
    """Return whether *answer* had a result for the request in *text*, and the reply."""
    received_us = now_us()
    try:
        request = parsed_request(text)
    except RpcError as error:
        return False, _reply({}, received_us, error=error.as_dict())
    try:
        return True, _reply(request, received_us, result=answer(request))
    except RpcError as error:
        return False, _reply(request, received_us, error=error.as_dict())


def _reply(request: Mapping[str, Any], received_us: int, **outcome: Any) -> bytes:
    echoed = {"id": request["id"]} if "id" in request else {}
    sent_us = now_us()
    return orjson.dumps(
        {
            "jsonrpc": "2.0",
            **echoed,
            **outcome,
            "usIn": received_us,
            "usOut": sent_us,
            "usDiff": sent_us - received_us,
            "testnet": True,
        }
    )


def method_and_params(request: Mapping[str, Any]) -> tuple[str, Params]:
    method, params = request.get("method"), request.get("params") or {}
    if not isinstance(method, str) or not isinstance(params, dict):
        raise RpcError(-32600, "Invalid Request")
    return method, params


def text_param(params: Params, name: str, default: str | None = None) -> str:
    value = params.get(name, default)
    if not isinstance(value, str):
        raise invalid_params(name, "wrong format" if name in params else "must be set")
    return value


def positive_param(params: Params, name: str, default: float | None = None) -> float:
    """Return a number above zero; over HTTP GET it comes as text."""
    value = params.get(name, default)
    if value is None:
        raise invalid_params(name, "must be set")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise invalid_params(name, "wrong format") from None
    if isinstance(value, bool) or not math.isfinite(number) or number <= 0:
        raise invalid_params(name, "must be a number above zero")
    return number


def names_param(params: Params, name: str) -> list[str]:
    value = params.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid_params(name, "must be a list of names")
    return value
