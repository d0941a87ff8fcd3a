"""Binance's public REST methods below /api/v3, with its errors.

Source: rest-api.md and errors.md of github.com/binance/binance-spot-api-docs.
"""

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import orjson
from aiohttp import web

from capacity.exchange.binance.listing import exchange_info
from capacity.exchange.binance.rate_limits import rate_limits
from capacity.exchange.binance.spot_figures import best_prices, last_day, now_ms, priced
from capacity.exchange.binance.spot_venue import SpotVenue
from capacity.exchange.counters import Counters
from capacity.exchange.options import ExchangeOptions

BASE = "/api/v3"
_SYMBOL = r"^[A-Z0-9-_.]{1,20}$"
_LIMIT = r"^[0-9]{1,20}$"
_MOST_LEVELS = 5000

Params = Mapping[str, str]


class SpotError(Exception):
    """A request that gets status 400 and an error for an answer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.answer = {"code": code, "msg": message}


class SpotRest:
    def __init__(self, spot: SpotVenue, counters: Counters, options: ExchangeOptions) -> None:
        self._spot = spot
        self._counters = counters
        self._limits = rate_limits(options)

    def routes(self) -> list[web.RouteDef]:
        answers: dict[str, Callable[[Params], Any]] = {
            "ping": lambda _: {},
            "time": lambda _: {"serverTime": now_ms()},
            "exchangeInfo": self._exchange_info,
            "depth": self._depth,
            "ticker/bookTicker": self._best_prices,
            "ticker/24hr": self._last_day,
            "trades": self._trades,
        }
        return [web.get(f"{BASE}/{path}", self._handler(asked)) for path, asked in answers.items()]

    def _handler(self, answer: Callable[[Params], Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            try:
                result, status = answer(request.query), 200
            except SpotError as error:
                result, status = error.answer, 400
            self._counters.requests += status == 200
            return web.Response(
                status=status, body=orjson.dumps(result), content_type="application/json"
            )

        return handle

    def _exchange_info(self, params: Params) -> dict[str, Any]:
        asked = self._symbols(params)
        listed = {symbol: self._spot.markets[symbol] for symbol in asked}
        return exchange_info(listed, now_ms(), self._limits)

    def _depth(self, params: Params) -> dict[str, Any]:
        market = self._spot.markets[self._symbol(params)]
        levels = _limit(params, default=100, most=_MOST_LEVELS)
        return {
            "lastUpdateId": market.change_id,
            "bids": priced(market, market.book.bids()[:levels]),
            "asks": priced(market, market.book.asks()[:levels]),
        }

    def _trades(self, params: Params) -> list[dict[str, Any]]:
        trades = self._spot.recent_trades(self._symbol(params))
        count = _limit(params, default=500, most=1000)
        return list(islice(trades, max(0, len(trades) - count), None))

    def _best_prices(self, params: Params) -> Any:
        return self._each(params, lambda symbol: best_prices(self._spot.markets[symbol]))

    def _last_day(self, params: Params) -> Any:
        return self._each(params, lambda symbol: last_day(self._spot.markets[symbol], now_ms()))

    def _each(self, params: Params, figures: Callable[[str], dict[str, Any]]) -> Any:
        """Return the figures of one symbol, or a list of those of several or all."""
        told = [{"symbol": symbol, **figures(symbol)} for symbol in self._symbols(params)]
        return told[0] if "symbol" in params else told

    def _symbols(self, params: Params) -> list[str]:
        if "symbol" in params:
            return [self._symbol(params)]
        if "symbols" not in params:
            return list(self._spot.markets)
        try:
            asked = orjson.loads(params["symbols"])
        except orjson.JSONDecodeError:
            asked = None
        if not isinstance(asked, list) or not all(isinstance(each, str) for each in asked):
            raise _illegal(
                "symbols", r"^\[(\"[A-Z0-9-_.]{1,20}\"(,\"[A-Z0-9-_.]{1,20}\"){0,}){0,1}\]$"
            )
        return [self._symbol({"symbol": symbol}) for symbol in asked]

    def _symbol(self, params: Params) -> str:
        symbol = params.get("symbol", "")
        if not symbol:
            raise SpotError(
                -1102,
                "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
            )
        if re.match(_SYMBOL, symbol) is None:
            raise _illegal("symbol", _SYMBOL)
        if symbol not in self._spot.markets:
            raise SpotError(-1121, "Invalid symbol.")
        return symbol


def _limit(params: Params, *, default: int, most: int) -> int:
    """Return the entries asked for; more than *most* are cut, as the venue does."""
    value = params.get("limit", str(default))
    if re.match(_LIMIT, value) is None:
        raise _illegal("limit", _LIMIT)
    return min(int(value), most) or default


def _illegal(param: str, pattern: str) -> SpotError:
    return SpotError(
        -1100,
        f"Illegal characters found in parameter '{param}'; legal range is '{pattern}'.",
    )
