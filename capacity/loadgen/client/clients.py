"""What all simulated clients of one worker share: the connections, the ledger, the stage."""

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

import gevent

from capacity.loadgen.bell import Bell
from capacity.loadgen.churn import Churn
from capacity.loadgen.connect_pacer import ConnectPacer
from capacity.loadgen.connection import BYTES_PER_READ
from capacity.loadgen.connections import ConnectionSet, spread
from capacity.loadgen.endpoint import Endpoint, endpoint_of
from capacity.loadgen.feed import Feed
from capacity.loadgen.health import HealthProbe
from capacity.loadgen.http_connection import HttpConnection
from capacity.loadgen.ledger import Ledger
from capacity.loadgen.polls import poll_connection, polls_of
from capacity.loadgen.slow_feed import SlowFeed
from capacity.loadgen.source_addresses import in_turn
from capacity.settings import dialect as dialect_settings
from capacity.settings.target import Target, addresses_in
from capacity.workload.address import channels_of
from capacity.workload.arrivals import Arrivals
from capacity.workload.compiled import compile_dialect
from capacity.workload.profile import Phase

_FOLLOW = methodcaller("follow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a worker is told when a run begins; a profile says what each of them means."""

    target: dict[str, Any]
    dialect: dict[str, Any]
    connections_per_user: int = 1
    arrivals: Arrivals = "even"
    poll_interval_s: float = 1.0
    clock_offset_s: float = 0.0
    subscriptions_by_address: int = 1
    slow_readers_ratio: float = 0.0
    slow_read_bytes_per_s: float = 0.0
    is_careful: bool = False
    """Connections are opened slowly at first, and no faster than the target takes them in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The worker's share of the load that is due now."""

    index: int
    phase: str
    subscriptions_per_connection: int
    requests_per_s: float
    connects_per_s: float
    churn_per_s: float = 0.0
    most_failures: int | None = None
    """Attempts to connect that may fail in a step until no more are made; None: any number."""


IDLE = Stage(
    index=-1, phase="idle", subscriptions_per_connection=0, requests_per_s=0.0, connects_per_s=100.0
)


class Fleet:
    """The clients of one worker during one run."""

    def __init__(self, orders: Orders) -> None:
        """Take the *orders* that the master sent when the run began."""
        self.target = Target.model_validate(orders.target)
        self.dialect = compile_dialect(dialect_settings.parse(orders.dialect))
        self.connections_per_user = orders.connections_per_user
        self.poll_interval_s = orders.poll_interval_s
        self.clock_offset_s = orders.clock_offset_s
        self._fixed_subscriptions = orders.subscriptions_by_address
        self._slow_readers_ratio = orders.slow_readers_ratio
        self.polls = polls_of(self.target, self.dialect.source)
        self.max_message_bytes = self.dialect.source.ws.max_message_bytes
        self._sources = in_turn(addresses_in(self.target.source_addresses))
        self.ledger = Ledger()
        self.connect_pacer = ConnectPacer(orders.arrivals, is_careful=orders.is_careful)
        self.connections = ConnectionSet()
        self.stage = IDLE
        self.stage_changed = Bell()
        self.is_over = False
        self.pollers: list[object] = []
        self._feeds: dict[int, Feed] = {}
        self._indexes = itertools.count()
        self._churn = Churn(lambda: list(self._feeds.values()))
        self.probe = HealthProbe(self.ledger.note_lag)
        self._greenlets = [
            gevent.spawn(self._beat_forever, rule, every_s)
            for rule, (every_s, _frame) in enumerate(self.dialect.periodic)
        ]
        if self._slow_readers_ratio and orders.slow_read_bytes_per_s:
            interval_s = BYTES_PER_READ / orders.slow_read_bytes_per_s
            self._greenlets.append(gevent.spawn(self._sip_forever, interval_s))

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

    def endpoint_for(self, channels: Sequence[str]) -> Endpoint:
        """Return where a connection that follows *channels* leads, the next source address taken."""
        return endpoint_of(self.target, self.dialect.source, channels, next(self._sources))

    def poll_connection(self, timeout_s: float) -> HttpConnection:
        """Return a connection of one poller's own, not yet open."""
        return poll_connection(
            self.target, self.dialect.source, self.polls[0], self._sources, timeout_s
        )

    def join(self, feed_count: int, on_lost: Any) -> list[Feed]:
        """Return that many new connection slots for one user."""
        feeds = [self._feed(next(self._indexes), on_lost) for _ in range(feed_count)]
        self._feeds.update((feed.index, feed) for feed in feeds)
        return feeds

    def _feed(self, index: int, on_lost: Any) -> Feed:
        ratio = self._slow_readers_ratio
        is_slow = math.floor((index + 1) * ratio) > math.floor(index * ratio)
        return (SlowFeed if is_slow else Feed)(self, index, on_lost)

    def leave(self, feeds: Sequence[Feed]) -> None:
        for feed in feeds:
            feed.close()
            del self._feeds[feed.index]

    def turn_to(self, stage: Stage) -> None:
        """Begin *stage*: from now on its tag is counted under, and its channels are followed."""
        resubscribe = stage.subscriptions_per_connection != self.stage.subscriptions_per_connection
        if stage.requests_per_s > self.stage.requests_per_s:
            # Pollers first: where the target is full, it is the new connections that are refused,
            # not the polls that belong to those already open.
            self.connect_pacer.hold(self.poll_interval_s)
        self._enter(stage)
        self.ledger.turn_to(stage.index, stage.phase)
        self.connect_pacer.turn_to(stage.index, stage.connects_per_s, stage.most_failures)
        self._churn.turn_to(0.0 if stage.phase == Phase.RAMP else stage.churn_per_s)
        if resubscribe:
            self._greenlets.append(
                gevent.spawn(spread, _FOLLOW, list(self._feeds.values()), stage.connects_per_s * 2)
            )

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
        gevent.killall(self._greenlets, block=False)
        self.connections.close()

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.stage_changed.ring()

    def _sip_forever(self, interval_s: float) -> None:
        """Have every slow reader read once in each interval."""
        due_s = time.monotonic()
        while True:
            due_s = max(due_s + interval_s, time.monotonic())
            slow = [feed for feed in self._feeds.values() if isinstance(feed, SlowFeed)]
            if slow:
                spread(SlowFeed.sip, slow, max(1.0, 1.1 * len(slow) / interval_s))
            gevent.sleep(max(0.0, due_s - time.monotonic()))

    def _beat_forever(self, rule: int, every_s: float) -> None:
        while True:
            gevent.sleep(every_s / 2)
            open_feeds = [feed for feed in self._feeds.values() if feed.is_open]
            per_s = max(1.0, 2 * len(open_feeds) / every_s)
            spread(lambda feed: feed.beat(rule), open_feeds, per_s)
