"""Private channels: each account hears of its own orders, and nobody else does.

user.orders.{instrument}.{interval}     user.orders.{kind}.{currency}.{interval}
user.trades.{instrument}.{interval}     user.trades.{kind}.{currency}.{interval}
user.portfolio.{currency}

Kind and currency may be `any`. Changes are told as they come, whatever the interval.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import orjson

from capacity.exchange.api.accounts import Order
from capacity.exchange.frames import text_frame
from capacity.exchange.market.channels import INTERVALS_S
from capacity.exchange.market.instruments import Kind
from capacity.exchange.market.market import Market

PREFIX = "user."
_ANY = "any"
_LISTED = ("orders", "trades")


class Listener(Protocol):
    def deliver(self, frame: bytes) -> None: ...


class UserChannels:
    """Who follows which private channel, by account."""

    def __init__(self, markets: Mapping[str, Market]) -> None:
        self._markets = markets
        self._currencies = {market.instrument.currency for market in markets.values()}
        self._followers: dict[tuple[str, str], dict[Listener, None]] = {}

    @property
    def is_followed(self) -> bool:
        """Tell whether anybody follows any."""
        return bool(self._followers)

    def offers(self, name: str) -> bool:
        match name.split("."):
            case ["user", "portfolio", currency]:
                return currency.upper() in self._currencies
            case ["user", what, instrument, interval] if what in _LISTED:
                return instrument in self._markets and interval in INTERVALS_S
            case ["user", what, kind, currency, interval] if what in _LISTED:
                is_kind = kind in {_ANY, *Kind}
                is_currency = currency in {_ANY, *self._currencies}
                return is_kind and is_currency and interval in INTERVALS_S
        return False

    def subscribe(self, client_id: str, name: str, listener: Listener) -> None:
        self._followers.setdefault((client_id, name), {})[listener] = None

    def unsubscribe(self, client_id: str, name: str, listener: Listener) -> None:
        followers = self._followers[client_id, name]
        del followers[listener]
        if not followers:
            del self._followers[client_id, name]

    def tell_order(self, client_id: str, order: Order, fills: list[dict[str, Any]]) -> None:
        """Tell the account of an order that changed, and of its fills, if there are any."""
        for name in self._names("orders", order):
            data = order.as_dict()
            self._tell(client_id, name, data if name.endswith(".raw") else [data])
        for name in self._names("trades", order) if fills else ():
            self._tell(client_id, name, fills)

    def tell_portfolio(self, client_id: str, currency: str, summary: Mapping[str, Any]) -> None:
        self._tell(client_id, f"user.portfolio.{currency.lower()}", summary)

    def _names(self, what: str, order: Order) -> Iterator[str]:
        """Yield the names of the channels that an order may be told on."""
        instrument = self._markets[order.instrument_name].instrument
        for interval in INTERVALS_S:
            yield f"user.{what}.{instrument.name}.{interval}"
            for kind in (_ANY, instrument.kind):
                for currency in (_ANY, instrument.currency):
                    yield f"user.{what}.{kind}.{currency}.{interval}"

    def _tell(self, client_id: str, name: str, data: object) -> None:
        followers = self._followers.get((client_id, name))
        if followers is None:
            return
        told = {"channel": name, "data": data}
        frame = text_frame(
            orjson.dumps({"jsonrpc": "2.0", "method": "subscription", "params": told})
        )
        for follower in list(followers):
            follower.deliver(frame)
