"""The `orders` section of a dialect: what a trader asks for, over WebSocket and over REST."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from capacity.workload.dialects.answers import VALIDATION, Ack


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """One request. Its templates may hold {id}, {symbol}, {connection} (the trader's number, from 0),
    {now_s}, {now_ms}, {nonce}, what was kept before, and what the target file gives in orders.values.
    """

    __pydantic_config__: ClassVar = VALIDATION
    send: Any = None
    """Template of the frame over WebSocket, and of the JSON body over REST (of GET there is none)."""
    path: str | None = None
    """Path after http.base over REST."""
    method: Literal["GET", "POST", "PUT", "DELETE"] = "POST"
    """HTTP method over REST."""
    query: Mapping[str, Any] = field(default_factory=dict)
    """Template of the query over REST."""
    weight: float = 1.0
    """What one such request over REST takes of http.total_weight_per_s."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """Name -> path in the answer of a value that later requests may hold, such as the order's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEntry:
    __pydantic_config__: ClassVar = VALIDATION
    login: OrderRequest | None = None
    """Sent first on every connection, and over REST before the first request of a trader."""
    place: OrderRequest
    """Places an order that stays open; it must keep whatever amend and cancel name it by."""
    amend: OrderRequest
    """Changes the order."""
    balance: OrderRequest
    """Asks for the account's balance."""
    cancel: OrderRequest
    """Cancels the order."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the requests over REST, templates too, such as Authorization: "Bearer {token}"."""
    answer: Ack = field(default_factory=lambda: Ack(where={}))
    """How answers look, the same over both ways. Over WebSocket `where` must carry the request's id."""

    def requests(self) -> Iterator[tuple[str, OrderRequest]]:
        """Yield each request with its name, the login first."""
        if self.login is not None:
            yield "login", self.login
        yield "place", self.place
        yield "amend", self.amend
        yield "balance", self.balance
        yield "cancel", self.cancel
