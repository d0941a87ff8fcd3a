"""The private connections of one worker: each client logs in on one, beside its public ones.

They share the pace, the stage and the sockets' set with the public ones, and count for themselves, so
that a run can say which of both was refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

import gevent

from capacity.loadgen.checks.planned.request_budgets import orders_share, privately
from capacity.loadgen.client.arrivals.connect_pacer import ConnectPacer
from capacity.loadgen.client.arrivals.lifetimes import Lifetimes
from capacity.loadgen.client.periodic import send_forever
from capacity.loadgen.client.served import Served
from capacity.loadgen.client.slots.connection_slot import ConnectionSlot
from capacity.loadgen.client.slots.request_pacer import SharedTurns
from capacity.loadgen.protocol.counters import Counters
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.loadgen.wire.connection_values import ConnectionValues
from capacity.loadgen.wire.endpoint import Endpoint, endpoint_of
from capacity.loadgen.wire.epoll_set import ConnectionSet
from capacity.settings import dialect as dialect_settings
from capacity.settings.target import Target
from capacity.workload.dialects.address import channels_of
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.values import NOTHING, uses_values


class Shared(Protocol):
    """What both kinds of connections of a worker have in common."""

    target: Target
    connections: ConnectionSet
    connect_pacer: ConnectPacer
    sources: Iterator[str | None]
    stage: Stage
    is_over: bool
    clock_offset_s: float
    request_turns: SharedTurns


def shared_turns(target: Target, dialect: Dialect, instructions: RunInstructions) -> SharedTurns:
    """Return the pace of what both kinds of connections of a run ask for; public ones speak *dialect*."""
    told = instructions.private_dialect
    return SharedTurns(
        dialect,
        max(1, instructions.workers),
        private=None if told is None else privately(target, dialect_settings.parse(told)),
        orders_share=orders_share(target, "websocket"),
    )


class PrivateConnections:
    """As their slots see them (slots.worker_state)."""

    request_name = "connect private"

    def __init__(self, shared: Shared, dialect: Dialect, *, worker: int, workers: int) -> None:
        """Read the credentials; the target of *shared* has private connections. Raises ConfigError."""
        self._shared = shared
        self._per_client = shared.target.connections_per_client
        self.target, self.dialect = shared.target.privately(), compile_dialect(dialect)
        self.connections, self.connect_pacer = shared.connections, shared.connect_pacer
        self.sources, self.clock_offset_s = shared.sources, shared.clock_offset_s
        self.values = ConnectionValues(
            self.target, dialect, self.sources, worker=worker, workers=workers
        )
        self.has_values = uses_values(dialect)
        self.max_message_bytes = dialect.ws.max_message_bytes
        self.request_turns = shared.request_turns.beside(dialect)
        self.can_resubscribe = False  # What they follow is the same in every stage.
        self.counters = Counters()
        self.lifetimes = Lifetimes()
        self.slots: dict[int, ConnectionSlot] = {}
        self.served = Served(
            lambda: list(self.slots.values()), self.channels_of, self.counters, are_alike=False
        )
        self._greenlets = [
            gevent.spawn(send_forever, rule, every_s, self.slots.values)
            for rule, (every_s, _frame) in enumerate(self.dialect.periodic)
        ]

    @classmethod
    def of(cls, shared: Shared, instructions: RunInstructions, worker: int) -> Self | None:
        """Return those of a run, for its *worker* of that number; None where its target has none."""
        if instructions.private_dialect is None:
            return None
        dialect = dialect_settings.parse(instructions.private_dialect)
        return cls(shared, dialect, worker=worker, workers=max(1, instructions.workers))

    @property
    def stage(self) -> Stage:
        return self._shared.stage

    @property
    def is_over(self) -> bool:
        return self._shared.is_over

    def place_of(self, number: int) -> tuple[bool, int]:
        """Return whether the worker's connection *number* is private, and its index among its kind."""
        client, place = divmod(number, self._per_client)
        public = self._per_client - 1
        return (True, client) if place == public else (False, client * public + place)

    def channels_of(self, index: int) -> list[str]:
        """Return all channels; *index* says which comes first."""
        target = self.target
        count = len(target.channels) * max(1, len(target.symbols))
        return channels_of(self.dialect.source, index, target.channels, target.symbols, count)

    def endpoint_for(
        self, channels: Sequence[str], values: Mapping[str, Any] = NOTHING
    ) -> Endpoint:
        """Return where a connection that follows *channels* leads, the next source address taken."""
        return endpoint_of(self.target, self.dialect.source, channels, next(self.sources), values)

    @property
    def open_connections(self) -> int:
        return sum(slot.has_entered for slot in self.slots.values())

    def close(self) -> None:
        self.served.stop()
        gevent.killall(self._greenlets, block=False)
