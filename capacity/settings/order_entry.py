"""The `orders` section of a target file, and what of a dialect's is wrong."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from capacity.settings.secrets import anchored, secret_text
from capacity.settings.yaml_files.yaml_file import Finding
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.endpoints import Secret
from capacity.workload.dialects.order_entry import OrderEntry
from capacity.workload.order_requests import wanted


class Orders(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    over: Annotated[tuple[Literal["websocket", "rest"], ...], Field(min_length=1, max_length=2)] = (
        "websocket",
        "rest",
    )
    """How traders send their requests; with both, every other trader."""
    answer_timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Longest time in seconds for an answer to be there, the opening of a connection and the login
    included; after that the outcome is unknown."""
    values: dict[str, str | int | float | Secret] = Field(default_factory=dict)
    """What the templates of the dialect's orders hold, such as client_id, amount and price: a text, a
    number, or {file: PATH} or {env: NAME}. Neither a run nor any output shows them."""


def anchored_orders(orders: Orders, folder: Path) -> Orders:
    """Return *orders* with files that are named relative to *folder*."""
    secrets = {name: value for name, value in orders.values.items() if isinstance(value, Secret)}
    return orders.model_copy(update={"values": {**orders.values, **anchored(secrets, folder)}})


def order_values(values: Mapping[str, str | int | float | Secret]) -> dict[str, Any]:
    """Return name -> value. Raises ConfigError where one cannot be had."""
    return {
        name: secret_text(value, f"orders.values.{name}") if isinstance(value, Secret) else value
        for name, value in values.items()
    }


def order_findings(orders: Orders, dialect: Dialect) -> Iterator[Finding]:
    """Yield what of a target file's orders the dialect cannot do, or lacks."""
    entry = dialect.orders
    if entry is None:
        yield (
            ("orders",),
            f"dialect {dialect.name} has no orders; describe them there, or leave this out",
        )
        return
    needed = wanted(entry)
    for name in needed:
        if name not in orders.values:
            yield (
                ("orders", "values"),
                f"dialect {dialect.name} needs {name} for orders; give it here",
            )
    for name, value in orders.values.items():
        if name not in needed:
            known = ", ".join(needed) or "nothing"
            yield (
                ("orders", "values", name),
                f"orders of dialect {dialect.name} need no {name}, they need {known}",
            )
        elif isinstance(value, Secret) and (value.file is None) == (value.env is None):
            yield ("orders", "values", name), "needs exactly one of file and env"
    yield from _way_findings(orders, dialect, entry)


def _way_findings(orders: Orders, dialect: Dialect, entry: OrderEntry) -> Iterator[Finding]:
    if "rest" in orders.over and dialect.http is None:
        yield (
            ("orders", "over"),
            f"dialect {dialect.name} has no http.base to send orders to by rest",
        )
    for operation, request in entry.requests():
        if "rest" in orders.over and request.path is None:
            yield (
                ("orders", "over"),
                f"orders.{operation} of dialect {dialect.name} has no path for rest",
            )
        if "websocket" in orders.over and request.send is None:
            yield (
                ("orders", "over"),
                f"orders.{operation} of dialect {dialect.name} has nothing to send by websocket",
            )
