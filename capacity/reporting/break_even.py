"""Push over WebSocket or poll over REST, as a section."""

import math

from capacity.domain import units
from capacity.domain.sizing import BreakEven, PushAgainstPoll, Trade, Unanswered
from capacity.domain.words import RESOURCES, listed
from capacity.reporting.document import Cell, Section, Table
from capacity.reporting.sizing import price, unanswered

_ANCHOR = "break-even"
_HEADING = "Push over WebSocket, or poll over REST"
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
                "Each cell: what lets an instance hold more clients, pushing to all of them or all"
                " polling as often as the freshness takes, and how many times more. Freshness: the age"
                f" not exceeded 95 % of the time. Host: {found.host}. In brackets: {_measure(found)}."
            ),
            *([f"Left out, because their costs were not told apart: {left_out}."] * bool(left_out)),
        ),
        table=_table(found),
    )


def _premise(trade: Trade) -> str:
    rate = units.rate(trade.deliveries_per_s, "updates")
    pushed = (
        f"Pure WebSocket at {rate}: {_clients(trade.push_clients)} clients an instance, first to"
        f" give out: {RESOURCES[trade.push_binding]}."
    )
    if trade.poll_clients is None or trade.poll_binding is None:
        return f"{pushed} Without updates there is nothing to poll for."
    polled = (
        f" Pure REST, one request an update: {_clients(trade.poll_clients)} clients, first to give"
        f" out: {RESOURCES[trade.poll_binding]}."
    )
    if trade.push_binding is trade.poll_binding:
        return f"{pushed}{polled} The bottleneck is the same one."
    return f"{pushed}{polled} The bottleneck is another one."


def _interval(one: PushAgainstPoll) -> str:
    name = RESOURCES[one.resource]
    if one.interval_s is None:
        return f"In {name} a pushed connection costs nothing measurable at the mix's updates."
    return (
        f"In {name} polling is cheaper from one request in {units.duration(one.interval_s)} on, at"
        " the mix's updates."
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
    heads = [f"fresh within {units.duration(freshness)}" for freshness in freshnesses]
    return Table(
        columns=("Updates/s", *heads),
        rows=rows,
        numeric=frozenset(range(len(freshnesses) + 1)),
    )


def _cell(trade: Trade, found: BreakEven) -> Cell:
    if trade.poll_clients is None:
        return Cell(text="push", note="no poll is that fast")
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
        return "clients that an instance holds"
    return "the price of 1,000 clients for a month"


def _clients(clients: float) -> str:
    return units.about(clients)
