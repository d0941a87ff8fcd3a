"""Push over WebSocket or poll over REST, as a section."""

import math

from capacity.domain import units
from capacity.domain.answers.sizing import BreakEven, PushAgainstPoll, Trade, Unanswered
from capacity.domain.words import RESOURCES, listed
from capacity.reporting.advice.sizing import price, unanswered
from capacity.reporting.document import Cell, Section, Table

_ANCHOR = "break-even"
_HEADING = "WebSocket push or REST polling"
_THOUSAND = 1000.0


def break_even_section(found: BreakEven | Unanswered) -> Section:
    if isinstance(found, Unanswered):
        return unanswered(_ANCHOR, _HEADING, found)
    left_out = listed([RESOURCES[resource] for resource in found.left_out])
    return Section(
        anchor=_ANCHOR,
        heading=_HEADING,
        paragraphs=(
            _premise(found.premise),
            *(_interval(one) for one in found.resources),
            (
                "Each cell: which of the two lets an instance hold more clients, and how many times more,"
                " if all clients use it. Freshness: p95 of the age of the data; polls are as frequent as"
                f" that needs. Host: {found.host}. Small print: {_measure(found)}."
            ),
            *(
                [f"Not included, because their cost components are not separable: {left_out}."]
                * bool(left_out)
            ),
        ),
        table=_table(found),
    )


def _premise(trade: Trade) -> str:
    rate = units.rate(trade.deliveries_per_s, "updates")
    pushed = (
        f"WebSocket only at {rate}: {_clients(trade.push_clients)} clients per instance, bottleneck"
        f" {RESOURCES[trade.push_binding]}."
    )
    if trade.poll_clients is None or trade.poll_binding is None:
        return f"{pushed} Without updates there is nothing to poll."
    polled = (
        f" REST only, one request per update: {_clients(trade.poll_clients)} clients per instance,"
        f" bottleneck {RESOURCES[trade.poll_binding]}."
    )
    return f"{pushed}{polled}"


def _interval(one: PushAgainstPoll) -> str:
    name = RESOURCES[one.resource]
    if one.interval_s is None:
        return (
            f"{_capital(name)}: a WebSocket connection has no measurable cost at this update rate."
        )
    return (
        f"{_capital(name)}: polling is cheaper than push if a client polls at most once every"
        f" {units.duration(one.interval_s)}."
    )


def _table(found: BreakEven) -> Table:
    freshnesses = list(dict.fromkeys(trade.freshness_s or 0.0 for trade in found.trades))
    rates = list(dict.fromkeys(trade.deliveries_per_s for trade in found.trades))
    by_place = {(trade.deliveries_per_s, trade.freshness_s): trade for trade in found.trades}
    rows = tuple(
        (
            Cell(text=units.number(rate)),
            *(_cell(by_place[rate, freshness], found) for freshness in freshnesses),
        )
        for rate in rates
    )
    heads = [f"Fresh within {units.duration(freshness)}" for freshness in freshnesses]
    return Table(
        columns=("Updates/s", *heads),
        rows=rows,
        numeric=frozenset(range(len(freshnesses) + 1)),
    )


def _cell(trade: Trade, found: BreakEven) -> Cell:
    if trade.poll_clients is None:
        return Cell(text="push", note="polling cannot be that fresh")
    if trade.poll_clients == trade.push_clients:
        return Cell(text="either", note=f"both {_per_thousand(trade.push_clients, found)}")
    few, many = sorted((trade.push_clients, trade.poll_clients))
    ratio = many / few if few > 0.0 else math.inf
    return Cell(
        text=f"{'push' if many == trade.push_clients else 'poll'} {units.number(ratio, 2)} ×",
        note=f"push {_per_thousand(trade.push_clients, found)}, poll"
        f" {_per_thousand(trade.poll_clients, found)}",
    )


def _per_thousand(clients: float, found: BreakEven) -> str:
    """Return what a thousand clients cost a month where that is known, else the clients."""
    if found.price_per_month is None or clients <= 0.0:
        return _clients(clients)
    return price(found.price_per_month / clients * _THOUSAND, found.currency)


def _measure(found: BreakEven) -> str:
    if found.price_per_month is None:
        return "clients per instance"
    return "price of 1,000 clients per month"


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _clients(clients: float) -> str:
    return units.about(clients)
