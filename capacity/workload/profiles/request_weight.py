"""What a run asks for by REST in a second, against the weight of requests that a target lets one address have."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from statistics import fmean

from capacity.domain import units
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.order_entry import OrderEntry
from capacity.workload.versions import versioned_operation

_ROUNDING = 1.0 + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What of a load makes requests, in a second, all workers together."""

    polls: float = 0.0
    orders: float = 0.0
    logins: float = 0.0
    """Requests about orders that are a trader's first."""
    connects: float = 0.0
    constant: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Requests of one kind."""

    what: str
    weight: float
    """Of one."""
    of: str
    """That of the Rates which makes them."""
    key: str
    """What of a profile makes fewer of them."""
    each: float = 1.0
    """Requests for one of those."""

    def per_s(self, rates: Rates) -> float:
        return self.each * float(getattr(rates, self.of))

    def weight_per_s(self, rates: Rates) -> float:
        return self.weight * self.per_s(rates)

    def in_words(self, rates: Rates) -> str:
        return f"{units.rate(self.per_s(rates), 'requests')} of {self.what}, {self.weight:g} each"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightBudget:
    """The weight that all requests of a run by REST may have in a second, and which there are."""

    per_s: float
    source: str
    """Key that says per_s, and whose."""
    parts: tuple[Part, ...]

    def weight_per_s(self, rates: Rates) -> float:
        return sum(part.weight_per_s(rates) for part in self.parts)

    def most_connections(self, each: Rates, beside: Rates) -> float:
        """Return how many connections may be open, one at least, with what *each* brings along, *beside* all else."""
        one = self.weight_per_s(each)
        if not one:
            return math.inf
        return max(1, math.floor((self.per_s - self.weight_per_s(beside)) / one * _ROUNDING))

    def excess(self, rates: Rates) -> str | None:
        """Return why so many requests are too many; None where they are not."""
        total = self.weight_per_s(rates)
        if total <= self.per_s * _ROUNDING:
            return None
        made = [part for part in self.parts if part.weight_per_s(rates)]
        keys = " or ".join(dict.fromkeys(part.key for part in made))
        summands = [f"{part.in_words(rates)} ({part.weight_per_s(rates):g})" for part in made]
        told = " and ".join(summands) if len(made) > 1 else f"{made[0].in_words(rates)},"
        return (
            f"{told} weigh {total:g} a second, and {self.source} is {self.per_s:g} for all requests of a run by REST; lower {keys},"
            " or set it to what the target allows"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a target file and a profile have a run ask for by REST."""

    target: str
    """Name of the target."""
    total_weight_per_s: float | None
    """Of the target file; it goes before those of the dialects."""
    polled: str | None
    """Operation; None where nothing is polled."""
    orders_share: float
    """Of requests about orders, that go over REST."""
    for_values: Collection[str]
    """Operations that hand out values before each connect of a public connection."""
    for_private_values: Collection[str]
    private_share: float
    """Of the connections, that are private."""
    watched_every_s: float | None
    """How often the operation is asked that is compared with what is pushed; None where none is."""


def weight_budget(asked: Asked, public: Dialect, private: Dialect | None) -> WeightBudget | None:
    """Return what bounds the requests by REST: the target's own total_weight_per_s, or else the least of its dialects.

    None where nothing is known to, or where they weigh nothing.
    """
    dialects = [public] if private is None else [public, private]
    bounds = [
        (each.http.total_weight_per_s, f"http.total_weight_per_s of dialect {each.name}")
        for each in dialects
        if each.http is not None and each.http.total_weight_per_s is not None
    ]
    if asked.total_weight_per_s is not None:
        own = f"rest.total_weight_per_s of target {asked.target}"
        bounds = [(asked.total_weight_per_s, own)]
    parts = tuple(part for part in _parts(asked, public, private) if part.weight and part.each)
    if not bounds or not parts:
        return None
    per_s, source = min(bounds)
    return WeightBudget(per_s=per_s, source=source, parts=parts)


def _parts(asked: Asked, public: Dialect, private: Dialect | None) -> Iterator[Part]:
    if (polled := public.rest.get(asked.polled or "")) is not None:
        key = "mix.requests_per_s_per_connection or the connections"
        what = f"operation {asked.polled}"
        yield Part(what=what, weight=polled.weight, of="polls", key=key)
    if public.orders is not None:
        yield from _of_orders(asked, public, public.orders)
    yield from _of_values(asked.for_values, public, 1.0 - asked.private_share)
    if private is not None:
        yield from _of_values(asked.for_private_values, private, asked.private_share)
    watched = versioned_operation(public)
    if asked.watched_every_s is not None and watched is not None:
        yield Part(
            what=f"operation {watched} for freshness",
            weight=public.rest[watched].weight,
            of="constant",
            key="freshness (a longer poll_interval_s)",
            each=1.0 / asked.watched_every_s,
        )


def _of_orders(asked: Asked, public: Dialect, entry: OrderEntry) -> Iterator[Part]:
    """Yield what traders ask for: all four in turn, or, where their orders are refused, two of them."""
    key = "mix.orders_per_s_per_connection"
    place, balance = entry.place.weight, entry.balance.weight
    weight = max(
        fmean((place, entry.amend.weight, balance, entry.cancel.weight)), fmean((place, balance))
    )
    over_rest, over_websocket = asked.orders_share, 1.0 - asked.orders_share
    yield Part(what="orders", weight=weight, of="orders", key=key, each=over_rest)
    if entry.login is not None:
        what = "logins of traders"
        yield Part(what=what, weight=entry.login.weight, of="logins", key=key, each=over_rest)
    for operation in asked.for_values:
        yield Part(
            what=f"operation {operation} for traders",
            weight=public.rest[operation].weight,
            of="logins",
            key=key,
            each=over_websocket,
        )


def _of_values(operations: Collection[str], dialect: Dialect, share: float) -> Iterator[Part]:
    for operation in operations:
        yield Part(
            what=f"operation {operation} before connects",
            weight=dialect.rest[operation].weight,
            of="connects",
            key="connects_per_s",
            each=share,
        )
