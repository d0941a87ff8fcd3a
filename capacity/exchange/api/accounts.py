"""Tokens and orders. Any credentials are accepted: this exchange holds nobody's money.

A token names its account and carries a signature, so that nothing is kept for it.
"""

import hmac
import itertools
import time
from dataclasses import dataclass, field, replace
from typing import Any

from capacity.exchange.api.rpc import RpcError
from capacity.exchange.market.market import Market

MOST_OPEN_ORDERS = 10_000
"""Per account: what an account's demo funds can back."""


class Tokens:
    def __init__(self, seed: int) -> None:
        self._key = str(seed).encode()

    def issued(self, client_id: str) -> str:
        return f"{client_id}.{self._signature(client_id)}"

    def owner(self, token: str) -> str | None:
        """Return the account that *token* was issued for, or None if it was not issued here."""
        client_id, _, signature = token.rpartition(".")
        genuine = hmac.compare_digest(signature.encode(), self._signature(client_id).encode())
        return client_id if genuine else None

    def _signature(self, client_id: str) -> str:
        return hmac.new(self._key, client_id.encode(), "sha256").hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    order_id: str
    instrument_name: str
    direction: str
    order_type: str
    amount: float
    price: float
    label: str
    order_state: str
    average_price: float
    filled_amount: float
    creation_timestamp: int
    last_update_timestamp: int

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {
            "time_in_force": "good_til_cancelled",
            "post_only": False,
            "reduce_only": False,
            "replaced": False,
            "api": True,
            "web": False,
            "max_show": self.amount,
        }


@dataclass(slots=True)
class Account:
    """Resting orders by id; what is filled or cancelled is forgotten."""

    open_orders: dict[str, Order] = field(default_factory=dict)


class Accounts:
    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._numbers = itertools.count(1)

    def of(self, client_id: str) -> Account:
        return self._accounts.setdefault(client_id, Account())

    def place(
        self,
        client_id: str,
        market: Market,
        *,
        direction: str,
        amount: float,
        price: float | None,
        label: str,
    ) -> Order:
        """Place an order; *price* None is a market order.

        What crosses the book is filled at its top, the rest stays open.
        """
        quote = market.quote()
        top: float = quote["best_ask_price" if direction == "buy" else "best_bid_price"]
        is_filled = price is None or (price >= top if direction == "buy" else price <= top)
        open_orders = self.of(client_id).open_orders
        if not is_filled and len(open_orders) >= MOST_OPEN_ORDERS:
            raise RpcError(10009, "not_enough_funds")
        now_ms = time.time_ns() // 1_000_000
        order = Order(
            order_id=f"{market.instrument.currency}-{next(self._numbers)}",
            instrument_name=market.instrument.name,
            direction=direction,
            order_type="market" if price is None else "limit",
            amount=amount,
            price=top if price is None else price,
            label=label,
            order_state="filled" if is_filled else "open",
            average_price=top if is_filled else 0.0,
            filled_amount=amount if is_filled else 0.0,
            creation_timestamp=now_ms,
            last_update_timestamp=now_ms,
        )
        if not is_filled:
            open_orders[order.order_id] = order
        return order

    def amend(self, client_id: str, order_id: str, *, amount: float, price: float) -> Order:
        """Change amount and price of an open order, which keeps its id."""
        open_orders = self.of(client_id).open_orders
        order = open_orders.get(order_id)
        if order is None:
            raise RpcError(11044, "not_open_order")
        now_ms = time.time_ns() // 1_000_000
        order = replace(order, amount=amount, price=price, last_update_timestamp=now_ms)
        open_orders[order_id] = order
        return order

    def cancel(self, client_id: str, order_id: str) -> Order:
        order = self.of(client_id).open_orders.pop(order_id, None)
        if order is None:
            raise RpcError(11044, "not_open_order")
        now_ms = time.time_ns() // 1_000_000
        return replace(order, order_state="cancelled", last_update_timestamp=now_ms)
