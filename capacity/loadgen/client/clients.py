"""What all simulated clients of one worker share: the connections, the counters, the stage."""

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from operator import methodcaller
from typing import Any

import gevent

from capacity.loadgen.client.churn import Churn
from capacity.loadgen.client.connect_pacer import ConnectPacer
from capacity.loadgen.client.connection_slot import ConnectionSlot
from capacity.loadgen.client.lifetimes import Lifetimes
from capacity.loadgen.client.returning import Returning
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
from capacity.settings.target import Target, addresses_in
from capacity.workload.dialects.address import channels_of
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.values import NOTHING, uses_values
from capacity.workload.profiles.pacing import request_interval_s
from capacity.workload.profiles.profile import Phase

_FOLLOW = methodcaller("follow")


IDLE = Stage(
    index=-1, phase="idle", subscriptions_per_connection=0, requests_per_s=0.0, connects_per_s=100.0
)


class Clients:
    """The clients of one worker during one run."""

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
        self._sources = in_turn(addresses_in(self.target.source_addresses))
        self.values = ConnectionValues(
            self.target,
            self.dialect.source,
            self._sources,
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
        self.stage = IDLE
        self.stage_changed = Wakeup()
        self.is_over = False
        self.pollers: list[object] = []
        self._slots: dict[int, ConnectionSlot] = {}
        self._indexes = itertools.count()
        self.drill: Returning | None = None
        """Those who were cut in the drill that is on."""
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
        if self._slow_readers_ratio and orders.slow_read_bytes_per_s:
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
        return endpoint_of(self.target, self.dialect.source, channels, next(self._sources), values)

    def poll_connection(self, timeout_s: float) -> HttpConnection:
        """Return a connection of one poller's own, not yet open."""
        return poll_connection(
            self.target,
            self.dialect.source,
            self.polls[0],
            self._sources,
            timeout_s,
            budget=self._budget,
        )

    def join(self, slot_count: int, on_lost: Any) -> list[ConnectionSlot]:
        """Return that many new connection slots for one user."""
        slots = [self._slot(next(self._indexes), on_lost) for _ in range(slot_count)]
        self._slots.update((slot.index, slot) for slot in slots)
        return slots

    def _slot(self, index: int, on_lost: Any) -> ConnectionSlot:
        ratio = self._slow_readers_ratio
        is_slow = math.floor((index + 1) * ratio) > math.floor(index * ratio)
        return (SlowReader if is_slow else ConnectionSlot)(self, index, on_lost)

    def leave(self, slots: Sequence[ConnectionSlot]) -> None:
        for slot in slots:
            slot.close()
            del self._slots[slot.index]

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
        """End the drill that is on, and begin the one of this stage, if any."""
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
        active = min(len(self.pollers), max(1, round(rate_per_s * self.poll_interval_s)))
        ordinal = self.pollers.index(poller)
        if ordinal >= active:
            return None
        interval_s = active / rate_per_s
        return interval_s, interval_s * ordinal / active

    def close(self) -> None:
        self.is_over = True
        self._enter(IDLE)
        self.probe.stop()
        self._churn.stop()
        if self.drill is not None:
            self.drill.end()
        self._served.stop()
        gevent.killall(self._greenlets, block=False)
        self.connections.close()

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
            open_slots = [slot for slot in self._slots.values() if slot.is_open]
            per_s = max(1.0, 2 * len(open_slots) / every_s)
            spread(lambda slot: slot.beat(rule), open_slots, per_s)
