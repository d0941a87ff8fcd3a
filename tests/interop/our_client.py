"""Our own clients, counted: what the load generator makes of a server in one short story."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gevent

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.settings.dialect import dump, load_dialect, parse
from capacity.settings.locate import find
from capacity.settings.target import Target

PATIENCE_S = 60.0
QUIET_S = 0.3
"""As long as nothing more must come before counts are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server listens, and what is followed there."""

    dialect: str
    port: int
    symbol: str = "BTC"
    channel: str = "updates"
    changes: tuple[tuple[str, Any], ...] = ()
    """Sections in place of those that the dialect ships with."""
    more: tuple[tuple[str, Any], ...] = ()
    """Further keys of the target file."""


@contextlib.contextmanager
def subscribed(place: Place, connections: int) -> Iterator[Clients]:
    """Hold that many connections that follow the place's channel; each is confirmed."""
    dialect = load_dialect(find("dialects", place.dialect))
    dialect = parse(dump(dialect) | dict(place.changes))
    target = Target(
        target=1,
        name=place.dialect,
        host="127.0.0.1",
        port=place.port,
        dialect=place.dialect,
        symbols=[place.symbol],
        channels=[place.channel],
        **dict(place.more),
    )
    orders = RunInstructions(
        target=target.model_dump(mode="json"), dialect=dump(dialect), subscriptions_by_address=1
    )
    clients = Clients(orders)
    stage = Stage(
        index=0,
        phase="plateau",
        subscriptions_per_connection=1,
        requests_per_s=0.0,
        connects_per_s=100.0,
    )
    clients.turn_to(stage)
    try:
        for slot in clients.join(connections, lambda **_: None):
            slot.open()
        if dialect.subscribe is not None and dialect.subscribe.confirm == "ack":
            confirmed = clients.counters.opening["subscription"]
            wait(lambda: len(confirmed) == connections)
        yield clients
    finally:
        clients.close()


def noted_places(clients: Clients, wire: str) -> list[int]:
    """Return a list that from now on is given the number of each update before which one is missing."""
    rule = clients.dialect.rule_of(wire)
    assert rule is not None
    places: list[int] = []

    def check(frame: Any, item: Any, last: int | None) -> tuple[int | None, int | None, str | None]:
        number, missed, problem = rule.check(frame, item, last)
        # An update is looked at twice where anything is wrong with it.
        if missed and number is not None and number not in places[-1:]:
            places.append(number)
        return number, missed, problem

    clients.dialect.rules[wire] = rule._replace(check=check)
    return places


def wait(until: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Return when *until* says so. Raises TimeoutError."""
    with gevent.Timeout(patience_s, TimeoutError):
        while not until():
            gevent.sleep(0.02)


def settled(clients: Clients, deliveries: int) -> dict[str, int]:
    """Return the counts, once that many deliveries came or none has come for long."""
    with contextlib.suppress(TimeoutError):
        wait(lambda: clients.counters.deliveries >= deliveries, 20.0)
    gevent.sleep(QUIET_S)
    counters = clients.counters
    names = ("deliveries", "gaps", "lost", "unmatched", "unnumbered")
    return {name: getattr(counters, name) for name in names}


def update(number: int) -> dict[str, int]:
    """Return what the shipped general dialects take for an update."""
    return {"seq": number, "ts": round(time.time() * 1000)}
