"""The same methods over HTTP, and the exchange's own status page."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from capacity.exchange.api.methods import Caller, call
from capacity.exchange.api.rpc import answered, method_and_params
from capacity.exchange.counters import Counters
from capacity.exchange.options import ExchangeOptions
from capacity.exchange.venue import Venue

_OF_A_MARKET = frozenset({"public/ticker", "public/get_order_book"})
"""Methods whose result changes only when the market moves, its time stamp apart."""
_HMAC_ID = re.compile(r"deri-hmac-sha256 .*?\bid=([^,\s]+)")


class _HttpCaller:
    def __init__(self, client_id: str | None) -> None:
        self.client_id = client_id


class RestApi:
    """`GET /api/v2/<method>?params`, `POST` of a JSON-RPC request there or to `/api/v2`."""

    def __init__(
        self,
        venue: Venue,
        counters: Counters,
        options: ExchangeOptions,
        counted: Callable[[], Counters],
    ) -> None:
        """Count requests in *counters*; the status page shows what *counted* returns."""
        self._venue = venue
        self._counters = counters
        self._options = options
        self._counted = counted

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/status", self.status),
            web.get("/api/v2/{method:.+}", self.query),
            web.post("/api/v2", self.post),
            web.post("/api/v2/{method:.+}", self.post),
        ]

    async def query(self, request: web.Request) -> web.Response:
        method, params = request.match_info["method"], dict(request.query)
        asked: dict[str, object] = {"method": method, "params": params}
        if "id" in params:
            asked["id"] = params.pop("id")
        tag = self._tag(method, params)
        if tag is not None and tag in request.headers.get("If-None-Match", ""):
            self._counters.requests += 1
            return web.Response(status=304, headers={"ETag": tag})
        response = self._response(orjson.dumps(asked), request)
        if tag is not None and response.status == 200:
            response.headers["ETag"] = tag
        return response

    async def post(self, request: web.Request) -> web.Response:
        return self._response(await request.read(), request)

    async def status(self, _request: web.Request) -> web.Response:
        counters, options = self._counted(), self._options
        counted = {name: getattr(counters, name) for name in counters.__slots__}
        limits = {
            "processes": options.processes,
            "max_connections": options.max_connections,
            "descriptor_limit": options.descriptor_limit,
        }
        return web.Response(body=orjson.dumps(counted | limits), content_type="application/json")

    def _response(self, text: bytes, request: web.Request) -> web.Response:
        caller: Caller = _HttpCaller(self._account(request.headers.get("Authorization", "")))
        default_method = request.match_info.get("method")

        def answer(asked: Mapping[str, Any]) -> Any:
            if default_method is not None:
                asked = {"method": default_method, **asked}
            return call(self._venue, caller, *method_and_params(asked))

        is_result, reply = answered(text, answer)
        self._counters.requests += is_result
        return web.Response(
            status=200 if is_result else 400, body=reply, content_type="application/json"
        )

    def _tag(self, method: str, params: Mapping[str, str]) -> str | None:
        """Return the ETag of what GET answers, weak because of its time stamps; None without one."""
        market = self._venue.markets.get(params.get("instrument_name", ""))
        if market is None or method not in _OF_A_MARKET:
            return None
        return f'W/"{market.change_id}"'

    def _account(self, authorization: str) -> str | None:
        """Return the account a request acts for; signatures are not checked, ids are."""
        if authorization.startswith("Bearer "):
            return self._venue.tokens.owner(authorization.removeprefix("Bearer "))
        signed = _HMAC_ID.match(authorization)
        return signed[1] if signed and self._venue.credentials.knows(signed[1]) else None
