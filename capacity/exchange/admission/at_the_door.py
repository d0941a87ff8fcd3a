"""The gate before HTTP: whom it refuses gets a status, Retry-After and the venue's error."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from capacity.exchange.admission.gate import Gate, Refusal
from capacity.exchange.admission.weights import weight_of
from capacity.exchange.api.rpc import TOO_MANY_REQUESTS

_PRICED = "/api/v2"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def priced_by(gate: Gate) -> Any:
    """Return a middleware that has every request of the API pay at *gate*."""

    @web.middleware
    async def pay(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path.startswith(_PRICED):
            weight = weight_of(await _method_of(request), {})
            refusal = gate.ask(request.remote or "", weight)
            if refusal is not None:
                return refused(refusal)
        return await handler(request)

    return pay


async def _method_of(request: web.Request) -> str:
    method = request.match_info.get("method")
    if method is None:
        try:
            asked = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            asked = None
        method = asked.get("method") if isinstance(asked, dict) else None
    return method if isinstance(method, str) else ""


def refused(refusal: Refusal) -> web.Response:
    """Return the answer that turns somebody away."""
    error = {"code": TOO_MANY_REQUESTS, "message": "too_many_requests"}
    data = {"reason": refusal.reason, "wait": refusal.retry_after_s}
    return web.Response(
        status=refusal.status,
        body=orjson.dumps({"jsonrpc": "2.0", "error": error | {"data": data}}),
        content_type="application/json",
        headers={"Retry-After": str(refusal.retry_after_s)},
    )
