"""What all simulated clients of one worker share: the connections, the counters, the stage."""

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from operator import methodcaller
from typing import Any, Protocol

import gevent

from capacity.loadgen.client.alarm import Alarm
from capacity.loadgen.client.arrivals.churn import Churn
from capacity.loadgen.client.arrivals.connect_pacer import ConnectPacer
from capacity.loadgen.client.arrivals.lifetimes import Lifetimes
from capacity.loadgen.client.arrivals.returning import Returning
from capacity.loadgen.client.connection_slot import ConnectionSlot
from capacity.loadgen.client.freshness_probe import FreshnessProbe
from capacity.loadgen.client.self_monitor import SelfMonitor
from capacity.loadgen.client.served import Served
from capacity.loadgen.client.slow_reader import SlowReader
from capacity.loadgen.client.wakeup import Wakeup
from capacity.loadgen.protocol.counters import Counters
from capacity.loadgen.protocol.orders import DrillOrder, Orders, Stage
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
from capacity.workload.profiles.pacing import request_interval_s, shared_pace
from capacity.workload.profiles.profile import Phase
from capacity.workload.versions import versioned_operation

_FOLLOW = methodcaller("follow")


IDLE = Stage(
    index=-1, phase="idle", subscriptions_per_connection=0, requests_per_s=0.0, connects_per_s=100.0
)


class Line(Protocol):
    """A connection that the dialect's periodic rules are for."""

    @property
    def is_open(self) -> bool: ...

    def beat(self, rule: int, /) -> None: ...


class Clients:
    """The clients of one worker during one run."""

    drill: Returning | None = None
    """Those who were cut in the drill that is on."""

    def __init__(self, orders: Orders, worker: int = 0) -> None:
        """Take the *orders* that the master sent when the run began to this *worker*, by number."""
        self.target = Target.model_validate(orders.target)
        self.dialect = compile_dialect(dialect_settings.parse(orders.dialect))
        self.connections_per_user = orders.connections_per_user
        self.poll_interval_s = orders.poll_interval_s
        self.clock_offset_s = orders.clock_offset_s
        self._fixed_subscriptions = orders.subscriptions_by_address
        self._slow_readers_ratio = orders.slow_readers_ratio
        self.polls = polls_of(self.target, self.dialect.source)
        self.sources = in_turn(addresses_in(self.target.source_addresses))
        self.values = ConnectionValues(
            self.target,
            self.dialect.source,
            self.sources,
            worker=worker,
            workers=orders.workers,
        )
        self.has_values = uses_values(self.dialect.source)
        """Templates hold more than channels and ids."""
        self.max_message_bytes = self.dialect.source.ws.max_message_bytes
        self.counters = Counters()
        self.connect_pacer = ConnectPacer(orders.arrivals, is_careful=orders.is_careful)
        self._budget = MemoryBudget(orders.most_memory_bytes)
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
        self.trading = ConnectionSet(self._budget)
        """The connections of traders: they are not among those whose number a step asks for."""
        self.trading_lines: set[Line] = set()
        self._freshness = self._freshness_probe(orders, worker)
        self._order_interval_s = orders.order_interval_s
        self._worker, self._workers = worker, max(1, orders.workers)
        self._trader_numbers = itertools.count()
        self._slots: dict[int, ConnectionSlot] = {}
        self._indexes = itertools.count()
        self._churn = Churn(lambda: list(self._slots.values()))
        self.lifetimes = Lifetimes()
        self._served = Served(lambda: list(self._slots.values()), self.channels_of)
        self.probe = SelfMonitor(self.counters.note_lag)
        self._greenlets = [
            gevent.spawn(self._beat_forever, rule, every_s)
            for rule, (every_s, _frame) in enumerate(self.dialect.periodic)
        ]
        self.request_interval_s = request_interval_s(self.dialect.source)
        """Between two requests of one connection; None where they are not paced."""
        if (self._slow_readers_ratio or orders.has_slow_class) and orders.slow_read_bytes_per_s:
            interval_s = BYTES_PER_READ / orders.slow_read_bytes_per_s
            self._greenlets.append(gevent.spawn(self._read_slices_forever, interval_s))

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

    def _freshness_probe(self, orders: Orders, worker: int) -> FreshnessProbe | None:
        """Return what watches one instrument, on the first worker of a run that asks for it."""
        operation = versioned_operation(self.dialect.source)
        interval_s = orders.freshness_poll_interval_s
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
            self._slot(next(self._indexes), on_lost, reads_slowly=reads_slowly)
            for _ in range(slot_count)
        ]
        for slot in slots:
            slot.churns = churns
        self._slots.update((slot.index, slot) for slot in slots)
        return slots

    def _slot(self, index: int, on_lost: Any, *, reads_slowly: bool) -> ConnectionSlot:
        ratio = self._slow_readers_ratio
        is_slow = reads_slowly or math.floor((index + 1) * ratio) > math.floor(index * ratio)
        return (SlowReader if is_slow else ConnectionSlot)(self, index, on_lost)

    def leave(self, slots: Sequence[ConnectionSlot]) -> None:
        for slot in slots:
            slot.close()
            del self._slots[slot.index]

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
        if stage.phase == Phase.PLATEAU:
            self._served.begin(stage.hold_s)
        self.counters.turn_to(stage.index, stage.phase)
        self.connect_pacer.turn_to(stage.index, stage.connects_per_s, stage.most_failures)
        self._turn_to_drill(stage)
        self._churn.turn_to(0.0 if stage.phase == Phase.RAMP else stage.churn_per_s)
        if resubscribe:
            self._greenlets.append(
                gevent.spawn(spread, _FOLLOW, list(self._slots.values()), stage.connects_per_s * 2)
            )

    def _turn_to_drill(self, stage: Stage) -> None:
        """End the drill that is on, and begin the one of this stage, if any; told twice, it goes on."""
        if self.drill is not None and stage.drill is not None:
            return
        if self.drill is not None:
            self.drill.end()
        self.drill = None
        if stage.drill is not None:
            order = DrillOrder.from_message(stage.drill)
            self.drill = Returning(order, [slot for slot in self._slots.values() if slot.is_open])

    def sum_up(self) -> None:
        """Count who was served in a plateau that is over; called before its last report."""
        if self.stage.phase == Phase.PLATEAU:
            self._served.sum_up(self.counters)

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
        self._served.stop()
        gevent.killall(self._greenlets, block=False)
        self.connections.close()
        self.trading.close()
        if self._freshness is not None:
            self._freshness.close()

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.stage_changed.ring()

    def _read_slices_forever(self, interval_s: float) -> None:
        """Have every slow reader read once in each interval."""
        due_s = time.monotonic()
        while True:
            due_s = max(due_s + interval_s, time.monotonic())
            slow = [slot for slot in self._slots.values() if isinstance(slot, SlowReader)]
            if slow:
                spread(SlowReader.read_slice, slow, max(1.0, 1.1 * len(slow) / interval_s))
            gevent.sleep(max(0.0, due_s - time.monotonic()))

    def _beat_forever(self, rule: int, every_s: float) -> None:
        while True:
            gevent.sleep(every_s / 2)
            held = (*self._slots.values(), *self.trading_lines)
            lines: list[Line] = [line for line in held if line.is_open]
            per_s = max(1.0, 2 * len(lines) / every_s)
            spread(lambda line: line.beat(rule), lines, per_s)
