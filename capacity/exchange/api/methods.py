"""The methods that both HTTP and WebSocket answer, by name."""

import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Protocol

from capacity.exchange.api.accounts import Order
from capacity.exchange.api.rpc import Params, RpcError, positive_param, text_param
from capacity.exchange.market.instruments import Instrument, Kind
from capacity.exchange.venue import Venue

_CREATED_AT_MS = 1_704_096_000_000
_TOKEN_LIFETIME_S = 31_536_000
_VERSION = version("capacity")


class Caller(Protocol):
    """Who asks; a connection remembers its account, a request brings a token."""

    client_id: str | None


def _time_ms(*_: object) -> int:
    return time.time_ns() // 1_000_000


def _test(*_: object) -> dict[str, str]:
    return {"version": _VERSION}


def _currencies(venue: Venue, _caller: Caller, _params: Params) -> list[dict[str, Any]]:
    names = dict.fromkeys(market.instrument.currency for market in venue.markets.values())
    return [
        {
            "currency": name,
            "currency_long": name,
            "coin_type": name,
            "fee_precision": 4,
            "min_confirmations": 1,
            "min_withdrawal_fee": 0.0001,
            "withdrawal_fee": 0.0005,
            "withdrawal_priorities": [],
        }
        for name in names
    ]


def _instruments(venue: Venue, _caller: Caller, params: Params) -> list[dict[str, Any]]:
    currency, kind = params.get("currency", "any"), params.get("kind")
    return [
        _listing(number, market.instrument)
        for number, market in enumerate(venue.markets.values(), start=1)
        if currency in ("any", market.instrument.currency)
        and kind in (None, "any", market.instrument.kind)
    ]


def _listing(number: int, instrument: Instrument) -> dict[str, Any]:
    listing: dict[str, Any] = {
        "instrument_id": number,
        "instrument_name": instrument.name,
        "kind": instrument.kind,
        "instrument_type": "reversed",
        "base_currency": instrument.currency,
        "quote_currency": "USD",
        "counter_currency": "USD",
        "settlement_currency": instrument.currency,
        "settlement_period": "month" if instrument.expiry else "perpetual",
        "price_index": f"{instrument.currency.lower()}_usd",
        "tick_size": instrument.tick_size,
        "contract_size": instrument.contract_size,
        "min_trade_amount": instrument.contract_size,
        "maker_commission": 0.0,
        "taker_commission": 0.0005,
        "is_active": True,
        "rfq": False,
        "creation_timestamp": _CREATED_AT_MS,
        "expiration_timestamp": instrument.expires_at_ms,
    }
    if instrument.kind is Kind.OPTION:
        side = "call" if instrument.name.endswith("-C") else "put"
        listing |= {"strike": instrument.strike, "option_type": side}
    return listing


def _ticker(venue: Venue, _caller: Caller, params: Params) -> dict[str, Any]:
    return {"timestamp": _time_ms()} | venue.market_asked_for(params).ticker()


def _order_book(venue: Venue, _caller: Caller, params: Params) -> dict[str, Any]:
    market = venue.market_asked_for(params)
    depth = int(max(1.0, positive_param(params, "depth", default=5)))
    price_at, book = market.instrument.price_at, market.book
    return {
        "timestamp": _time_ms(),
        **market.ticker(),
        "change_id": market.change_id,
        "bids": [(price_at(ticks), amount) for ticks, amount in book.bids()[:depth]],
        "asks": [(price_at(ticks), amount) for ticks, amount in book.asks()[:depth]],
    }


def _auth(venue: Venue, caller: Caller, params: Params) -> dict[str, Any]:
    if text_param(params, "grant_type") == "refresh_token":
        client_id = venue.tokens.owner(text_param(params, "refresh_token"))
    else:
        client_id = venue.credentials.logged_in(params)
    if not client_id:
        raise RpcError(13004, "invalid_credentials")
    caller.client_id = client_id
    token = venue.tokens.issued(client_id)
    return {
        "access_token": token,
        "refresh_token": token,
        "expires_in": _TOKEN_LIFETIME_S,
        "scope": "account:read_write trade:read_write wallet:read_write",
        "token_type": "bearer",
    }


def _summary(venue: Venue, client_id: str, currency: str) -> dict[str, Any]:
    rate = {"burst": 1_000_000, "rate": 1_000_000}
    return {
        "currency": currency,
        "balance": 1_000.0,
        "equity": 1_000.0,
        "available_funds": 1_000.0,
        "available_withdrawal_funds": 1_000.0,
        "margin_balance": 1_000.0,
        "initial_margin": 0.0,
        "maintenance_margin": 0.0,
        "open_orders": len(venue.accounts.of(client_id).open_orders),
        "limits": {"non_matching_engine": rate, "matching_engine": {"trading": {"total": rate}}},
    }


def _account_summary(venue: Venue, caller: Caller, params: Params) -> dict[str, Any]:
    assert caller.client_id is not None
    return _summary(venue, caller.client_id, text_param(params, "currency", default="BTC"))


def _account_summaries(venue: Venue, caller: Caller, params: Params) -> dict[str, Any]:
    assert caller.client_id is not None
    names = [row["currency"] for row in _currencies(venue, caller, params)]
    return {
        "id": 1,
        "username": caller.client_id,
        "type": "main",
        "summaries": [_summary(venue, caller.client_id, name) for name in names],
    }


def _placing(direction: str) -> "Method":
    def place(venue: Venue, caller: Caller, params: Params) -> dict[str, Any]:
        assert caller.client_id is not None
        is_limit = text_param(params, "type", default="limit") != "market"
        order = venue.accounts.place(
            caller.client_id,
            venue.market_asked_for(params),
            direction=direction,
            amount=positive_param(params, "amount"),
            price=positive_param(params, "price") if is_limit else None,
            label=text_param(params, "label", default=""),
        )
        fills = _fills(order)
        _tell(venue, caller.client_id, order, fills)
        return {"trades": fills, "order": order.as_dict()}

    return place


def _tell(venue: Venue, client_id: str, order: Order, fills: list[dict[str, Any]]) -> None:
    """Tell the account on its private channels what became of an order."""
    if not venue.user_channels.is_followed:
        return
    venue.user_channels.tell_order(client_id, order, fills)
    currency = venue.markets[order.instrument_name].instrument.currency
    venue.user_channels.tell_portfolio(client_id, currency, _summary(venue, client_id, currency))


def _fills(order: Order) -> list[dict[str, Any]]:
    if not order.filled_amount:
        return []
    return [
        {
            "trade_id": f"{order.order_id}-1",
            "order_id": order.order_id,
            "instrument_name": order.instrument_name,
            "direction": order.direction,
            "amount": order.filled_amount,
            "price": order.average_price,
            "timestamp": order.creation_timestamp,
            "state": "filled",
            "fee": 0.0,
        }
    ]


def _edit(venue: Venue, caller: Caller, params: Params) -> dict[str, Any]:
    assert caller.client_id is not None
    order = venue.accounts.amend(
        caller.client_id,
        text_param(params, "order_id"),
        amount=positive_param(params, "amount"),
        price=positive_param(params, "price"),
    )
    _tell(venue, caller.client_id, order, [])
    return {"trades": [], "order": order.as_dict() | {"replaced": True}}


def _cancel(venue: Venue, caller: Caller, params: Params) -> dict[str, Any]:
    assert caller.client_id is not None
    order = venue.accounts.cancel(caller.client_id, text_param(params, "order_id"))
    _tell(venue, caller.client_id, order, [])
    return order.as_dict()


Method = Callable[[Venue, Caller, Params], Any]

METHODS: dict[str, Method] = {
    "public/auth": _auth,
    "public/get_currencies": _currencies,
    "public/get_instruments": _instruments,
    "public/get_order_book": _order_book,
    "public/get_time": _time_ms,
    "public/test": _test,
    "public/ticker": _ticker,
    "private/buy": _placing("buy"),
    "private/cancel": _cancel,
    "private/edit": _edit,
    "private/get_account_summaries": _account_summaries,
    "private/get_account_summary": _account_summary,
    "private/sell": _placing("sell"),
}

WEBSOCKET_ONLY = frozenset(
    {
        "public/subscribe",
        "public/unsubscribe",
        "public/unsubscribe_all",
        "public/set_heartbeat",
        "public/disable_heartbeat",
        "private/subscribe",
        "private/unsubscribe",
        "private/unsubscribe_all",
    }
)


def call(venue: Venue, caller: Caller, method: str, params: Params) -> Any:
    """Return the result of *method*, or raise RpcError."""
    if method in WEBSOCKET_ONLY:
        raise RpcError(10030, "must_be_websocket_request")
    if method not in METHODS:
        raise RpcError(-32601, "Method not found")
    require_account(caller, method)
    return METHODS[method](venue, caller, params)


def require_account(caller: Caller, method: str) -> None:
    if method.startswith("private/") and caller.client_id is None:
        raise RpcError(13009, "unauthorized", reason="missing or unknown access token")
