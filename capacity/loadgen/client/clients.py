"""What all simulated clients of one worker share: the connections, the counters, the stage."""

import itertools
import math
from collections.abc import Mapping, Sequence
from operator import methodcaller
from typing import Any

import gevent

from capacity.loadgen.client.alarm import Alarm
from capacity.loadgen.client.arrivals.churn import Churn
from capacity.loadgen.client.arrivals.connect_pacer import ConnectPacer
from capacity.loadgen.client.arrivals.lifetimes import Lifetimes
from capacity.loadgen.client.arrivals.returning import Returning
from capacity.loadgen.client.freshness_probe import FreshnessProbe
from capacity.loadgen.client.periodic import Line, send_forever
from capacity.loadgen.client.private_connections import PrivateConnections, shared_turns
from capacity.loadgen.client.self_monitor import SelfMonitor
from capacity.loadgen.client.served import Served
from capacity.loadgen.client.slots.connection_slot import ConnectionSlot
from capacity.loadgen.client.slots.slow_reader import SlowReader, read_slices_forever
from capacity.loadgen.client.wakeup import Wakeup
from capacity.loadgen.protocol.counters import Counters
from capacity.loadgen.protocol.instructions import DrillInstructions, RunInstructions, Stage
from capacity.loadgen.protocol.kinds import with_private
from capacity.loadgen.wire.connection import BYTES_PER_READ
from capacity.loadgen.wire.connection_values import ConnectionValues
from capacity.loadgen.wire.endpoint import Endpoint, endpoint_of
from capacity.loadgen.wire.epoll_set import ConnectionSet, spread
from capacity.loadgen.wire.http_connection import HttpConnection
from capacity.loadgen.wire.memory_budget import MemoryBudget
from capacity.loadgen.wire.polls import poll_connection, polls_of
from capacity.loadgen.wire.source_addresses import in_turn
from capacity.settings import dialect as dialect_settings
from capacity.settings.order_entry import order_values
from capacity.settings.target import Target
from capacity.settings.targets.source_addresses import addresses_in
from capacity.workload.dialects.address import channels_of
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.values import NOTHING, uses_values
from capacity.workload.order_requests import order_requests_of
from capacity.workload.profiles.pacing import shared_pace
from capacity.workload.profiles.profile import FOLLOWS_PER_CONNECT, Phase
from capacity.workload.versions import versioned_operation

_FOLLOW = methodcaller("follow")
IDLE = Stage(
    index=-1, phase="idle", subscriptions_per_connection=0, requests_per_s=0.0, connects_per_s=100.0
)


class Clients:
    """The clients of one worker during one run."""

    drill: Returning | None = None
    """Those who were cut in the drill that is on."""
    request_name = "connect"

    def __init__(self, instructions: RunInstructions, worker: int = 0) -> None:
        """Take the *instructions* that the master sent when the run began to this *worker*, by number."""
        self.target = Target.model_validate(instructions.target)
        self.dialect = compile_dialect(dialect_settings.parse(instructions.dialect))
        self.connections_per_user = instructions.connections_per_user
        self.poll_interval_s = instructions.poll_interval_s
        self.clock_offset_s = instructions.clock_offset_s
        self._fixed_subscriptions = instructions.subscriptions_by_address
        self._slow_readers_ratio = instructions.slow_readers_ratio
        self.polls = polls_of(self.target, self.dialect.source)
        self.sources = in_turn(addresses_in(self.target.source_addresses))
        self.values = ConnectionValues(
            self.target,
            self.dialect.source,
            self.sources,
            worker=worker,
            workers=instructions.workers,
        )
        self.request_turns = shared_turns(self.target, self.dialect.source, instructions)
        self.has_values = uses_values(self.dialect.source)
        """Templates hold more than channels and ids."""
        self.max_message_bytes = self.dialect.source.ws.max_message_bytes
        self.counters = Counters()
        self.connect_pacer = ConnectPacer(instructions.arrivals, is_careful=instructions.is_careful)
        self._budget = MemoryBudget(instructions.most_memory_bytes)
        self.connections = ConnectionSet(self._budget)
        self.stage, self.stage_changed, self.alarm = IDLE, Wakeup(), Alarm()
        self.is_over = False
        self.pollers: list[object] = []
        self.traders: list[object] = []
        self.orders = None
        """What traders ask for; None where the target file has no orders."""
        if self.target.orders is not None:
            host, port, tls = self.target.http_origin()
            described = self.dialect.source
            self.orders = order_requests_of(described, host=host, port=port, tls=tls)
            self.order_values = order_values(self.target.orders.values)
        self.trading = ConnectionSet(self._budget, waits_for_turns=False)
        """The connections of traders: they are not among those whose number a step asks for."""
        self.trading_lines: set[Line] = set()
        self._freshness = self._freshness_probe(instructions, worker)
        self._order_interval_s = instructions.order_interval_s
        self._worker, self._workers = worker, max(1, instructions.workers)
        self._trader_numbers = itertools.count()
        self.slots: dict[int, ConnectionSlot] = {}
        """The public ones, by their index among them."""
        self.private = PrivateConnections.of(self, instructions, worker)
        self._numbers = itertools.count()
        self._churn = Churn(self._held, lambda: len(self.connections))
        self.lifetimes = Lifetimes()
        self.served = Served(lambda: list(self.slots.values()), self.channels_of, self.counters)
        self.probe = SelfMonitor(self.counters.note_lag)
        self._greenlets = [
            gevent.spawn(send_forever, rule, every_s, self.slots.values, self.trading_lines.copy)
            for rule, (every_s, _frame) in enumerate(self.dialect.periodic)
        ]
        read_slowly_per_s = instructions.slow_read_bytes_per_s
        if read_slowly_per_s and (self._slow_readers_ratio or instructions.has_slow_class):
            interval_s = BYTES_PER_READ / read_slowly_per_s
            self._greenlets.append(gevent.spawn(read_slices_forever, self._held, interval_s))

    @property
    def can_resubscribe(self) -> bool:
        """Whether an open connection can change what it follows."""
        return self.dialect.subscribe is not None and self.dialect.unsubscribe is not None

    def channels_of(self, index: int) -> list[str]:
        """Return the channels that the connection with this index follows in this stage."""
        count = self.stage.subscriptions_per_connection
        if not self.can_resubscribe:
            count = self._fixed_subscriptions  # Chosen when connecting, for good.
        return channels_of(
            self.dialect.source, index, self.target.channels, self.target.symbols, count
        )

    def endpoint_for(
        self, channels: Sequence[str], values: Mapping[str, Any] = NOTHING
    ) -> Endpoint:
        """Return where a connection that follows *channels* leads, the next source address taken."""
        return endpoint_of(self.target, self.dialect.source, channels, next(self.sources), values)

    def poll_connection(self, timeout_s: float) -> HttpConnection:
        """Return a connection of one poller's own, not yet open."""
        return poll_connection(
            self.target,
            self.dialect.source,
            self.polls[0].url,
            self.sources,
            timeout_s,
            budget=self._budget,
        )

    def _freshness_probe(self, instructions: RunInstructions, worker: int) -> FreshnessProbe | None:
        """Return what watches one instrument, on the first worker of a run that asks for it."""
        operation = versioned_operation(self.dialect.source)
        interval_s = instructions.freshness_poll_interval_s
        if interval_s is None or operation is None or worker:
            return None
        probe = FreshnessProbe(self, operation, interval_s)
        self.trading_lines.add(probe)
        return probe

    def order_connection(self, timeout_s: float) -> HttpConnection:
        """Return a connection of one trader's own, not yet open."""
        assert self.orders is not None
        return poll_connection(
            self.target,
            self.dialect.source,
            self.orders.base,
            self.sources,
            timeout_s,
            is_kept=True,
            budget=self._budget,
        )

    def join(
        self, slot_count: int, on_lost: Any, *, reads_slowly: bool = False, churns: bool = False
    ) -> list[ConnectionSlot]:
        """Return that many new connection slots for one user."""
        slots = [
            self._slot(number, on_lost, reads_slowly=reads_slowly)
            for number in itertools.islice(self._numbers, slot_count)
        ]
        for slot in slots:
            slot.churns = churns
        return slots

    def _slot(self, number: int, on_lost: Any, *, reads_slowly: bool) -> ConnectionSlot:
        is_private, index = (
            (False, number) if self.private is None else self.private.place_of(number)
        )
        kind = self.private if self.private is not None and is_private else self
        ratio = self._slow_readers_ratio
        is_slow = reads_slowly or math.floor((index + 1) * ratio) > math.floor(index * ratio)
        slot = (SlowReader if is_slow else ConnectionSlot)(kind, index, on_lost)
        kind.slots[index] = slot
        return slot

    def _kinds(self) -> "list[Clients | PrivateConnections]":
        return [self] if self.private is None else [self, self.private]

    def _held(self) -> list[ConnectionSlot]:
        """Return the slots of both kinds."""
        return [slot for kind in self._kinds() for slot in kind.slots.values()]

    def leave(self, slots: Sequence[ConnectionSlot]) -> None:
        for slot in slots:
            slot.close()
            del slot.kind.slots[slot.index]

    def take(self, now_s: float) -> dict[str, Any]:
        """Return what all connections counted since the last call."""
        report = self.counters.take(now_s)
        return (
            report
            if self.private is None
            else with_private(report, self.private.counters.take(now_s))
        )

    def catch_up(self) -> None:
        """Count what waits in sockets: it came in the phase that is over, not in the next one."""
        self.connections.serve_all()

    def turn_to(self, stage: Stage) -> None:
        """Begin *stage*: from now on its tag is counted under, and its channels are followed."""
        resubscribe = stage.subscriptions_per_connection != self.stage.subscriptions_per_connection
        if stage.requests_per_s > self.stage.requests_per_s:
            # Pollers first: where the target is full, it is the new connections that are refused,
            # not the polls that belong to those already open.
            self.connect_pacer.hold(self.poll_interval_s)
        self._enter(stage)
        for kind in self._kinds():
            kind.served.turn_to(stage.phase, stage.hold_s)
            kind.counters.turn_to(stage.index, stage.phase)
        self.request_turns.leave_to_traders(stage.orders_per_s)
        per_s = self.request_turns.connects_per_s(stage.connects_per_s, len(self.channels_of(0)))
        self.connect_pacer.turn_to(stage.index, per_s, stage.most_failures)
        self._turn_to_drill(stage)
        self._churn.turn_to(0.0 if stage.phase == Phase.RAMP else stage.churn_per_s)
        if resubscribe:
            per_s = FOLLOWS_PER_CONNECT * stage.connects_per_s
            self._greenlets.append(gevent.spawn(spread, _FOLLOW, self._held(), per_s))

    def _turn_to_drill(self, stage: Stage) -> None:
        """End the drill that is on, and begin the one of this stage, if any; told twice, it goes on."""
        if self.drill is not None and stage.drill is not None:
            return
        if self.drill is not None:
            self.drill.end()
        self.drill = None
        if stage.drill is not None:
            drill = DrillInstructions.from_message(stage.drill)
            self.drill = Returning(drill, [slot for slot in self._held() if slot.is_open])

    def sum_up(self) -> None:
        """Count who was served in a plateau that is over; called before its last report."""
        if self.stage.phase == Phase.PLATEAU:
            for kind in self._kinds():
                kind.served.sum_up(kind.counters)

    def poll_pace(self, poller: object) -> tuple[float, float] | None:
        """Return this poller's interval and first delay in seconds; None while it has to rest."""
        rate_per_s = self.stage.requests_per_s
        if rate_per_s <= 0 or not self.polls:
            return None
        ordinal = self.pollers.index(poller)
        return shared_pace(ordinal, len(self.pollers), rate_per_s, self.poll_interval_s)

    def order_pace(self, trader: object) -> tuple[float, float] | None:
        """Return this trader's interval and first delay in seconds; None while it has to rest."""
        rate_per_s = self.stage.orders_per_s
        if rate_per_s <= 0 or self.orders is None:
            return None
        ordinal = self.traders.index(trader)
        return shared_pace(ordinal, len(self.traders), rate_per_s, self._order_interval_s)

    def next_trader(self) -> int:
        """Return the number of a new trader, from 0 over all workers."""
        return next(self._trader_numbers) * self._workers + self._worker

    def close(self) -> None:
        self.is_over = True
        self._enter(IDLE)
        self.alarm.close()
        self.probe.stop()
        self._churn.stop()
        if self.drill is not None:
            self.drill.end()
        self.served.stop()
        gevent.killall(self._greenlets, block=False)
        self.connections.close()
        self.trading.close()
        if self.private is not None:
            self.private.close()
        if self._freshness is not None:
            self._freshness.close()

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.stage_changed.ring()
