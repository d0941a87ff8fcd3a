"""What requests below /api/v3 weigh, the headers that say what was used, and who is refused.

Weights are the venue's (rest-api.md, 2026); what each address may use is set by the credits.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from capacity.exchange.admission.gate import BANNED, Gate, Refusal, Rule
from capacity.exchange.binance.rate_limits import credits_window_s, interval
from capacity.exchange.binance.spot_rest import BASE
from capacity.exchange.options import ExchangeOptions

_USED = "X-MBX-USED-WEIGHT-"
_TOO_MANY_REQUESTS, _TOO_MANY_CONNECTIONS = -1003, -1034
_WEIGHTS = {"exchangeInfo": 20, "trades": 25}
_DEPTHS = ((100, 5), (500, 25), (1000, 50))
"""Levels, and what so many weigh at most."""
_DEEPEST = 250
_BY_SYMBOL = {"ticker/bookTicker": (2, 4), "ticker/24hr": (2, 80)}
"""With one symbol, and without."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def request_weight(path: str, params: Mapping[str, str]) -> int:
    """Return what a request of *path*, below the base, weighs."""
    if path in _BY_SYMBOL:
        one, all_of_them = _BY_SYMBOL[path]
        return one if "symbol" in params else all_of_them
    if path == "depth":
        asked = params.get("limit", "")
        levels = int(asked) if asked.isascii() and asked.isdecimal() else 100
        return next((weight for most, weight in _DEPTHS if levels <= most), _DEEPEST)
    return _WEIGHTS.get(path, 1)


def weighed_by(gate: Gate, options: ExchangeOptions) -> Any:
    """Return a middleware that has every request below the base pay at *gate*."""
    header = None
    if options.credits_per_s is not None:
        word, count = interval(credits_window_s(options))
        header = f"{_USED}{count}{word[0]}"

    @web.middleware
    async def pay(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not request.path.startswith(f"{BASE}/"):
            return await handler(request)
        address = request.remote or ""
        weight = request_weight(request.path.removeprefix(f"{BASE}/"), request.query)
        refusal = gate.ask(address, weight)
        response = await handler(request) if refusal is None else refused_request(refusal)
        if header is not None:
            response.headers[f"{_USED}1M"] = str(gate.spent(address))
            response.headers[header] = str(gate.used(address))
        return response

    return pay


def refused_request(refusal: Refusal) -> web.Response:
    """Return the answer that turns somebody away, with the venue's code (errors.md)."""
    code, message = _TOO_MANY_REQUESTS, refusal.reason
    if refusal.status == BANNED:
        until_ms = round((time.time() + refusal.retry_after_s) * 1000)
        message = (
            f"Way too much request weight used; IP banned until {until_ms}. Please use WebSocket Streams"
            " for live updates to avoid bans."
        )
    elif refusal.rule is Rule.CREDITS:
        message = (
            "Too much request weight used. Please use WebSocket Streams for live updates to avoid polling"
            " the API."
        )
    else:
        code = _TOO_MANY_CONNECTIONS
    return web.Response(
        status=refusal.status,
        body=orjson.dumps({"code": code, "msg": message}),
        content_type="application/json",
        headers={"Retry-After": str(refusal.retry_after_s)},
    )
