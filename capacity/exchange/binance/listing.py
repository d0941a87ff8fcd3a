"""What `exchangeInfo` says: the symbols, their smallest steps, and the limits there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from capacity.exchange.binance.spot_figures import text
from capacity.exchange.binance.streams import QUOTE
from capacity.exchange.market.market import Market

_MOST = 1e7
_DECIMALS = 8


def exchange_info(
    markets: Mapping[str, Market], now_ms: int, limits: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the listing of *markets*, by symbol, and *limits*, those that are in force."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": limits,
        "exchangeFilters": [],
        "symbols": [_listed(symbol, market) for symbol, market in markets.items()],
    }


def _listed(symbol: str, market: Market) -> dict[str, Any]:
    instrument = market.instrument
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": instrument.currency,
        "baseAssetPrecision": _DECIMALS,
        "quoteAsset": QUOTE,
        "quotePrecision": _DECIMALS,
        "quoteAssetPrecision": _DECIMALS,
        "baseCommissionPrecision": _DECIMALS,
        "quoteCommissionPrecision": _DECIMALS,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": False,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            _steps("PRICE_FILTER", "Price", "tickSize", instrument.tick_size),
            _steps("LOT_SIZE", "Qty", "stepSize", instrument.contract_size),
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def _steps(kind: str, what: str, step: str, size: float) -> dict[str, str]:
    return {
        "filterType": kind,
        f"min{what}": text(size),
        f"max{what}": text(_MOST),
        step: text(size),
    }
