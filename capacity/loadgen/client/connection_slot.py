"""One subscriber connection: its conversation with the target, and what it adds to the counters."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import AsyncResult

from capacity.loadgen.client.arrivals.away import Drilled
from capacity.loadgen.client.noting import note
from capacity.loadgen.wire.connection import Connection
from capacity.loadgen.wire.connection_values import at_this_moment
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.frames import closing_text
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.loadgen.wire.streams.opener import open_connection
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.values import NOTHING
from capacity.workload.reception import Kind

if TYPE_CHECKING:
    from capacity.loadgen.client.clients import Clients


GOING_AWAY = 1001
"""Close code of a target that ends (RFC 6455, section 7.4.1): who was open is lost."""
REFUSED_WITHIN_S = 1.0
ONE_MOMENT_S = 0.05
"""Updates within so long, before or after (the clock may be set), are one arrival: as a batch is."""


class ConnectionSlot(Drilled):
    """A connection slot: open or not, following the channels that the stage asks for."""

    __slots__ = (
        "_asked_s",
        "_born_s",
        "_clients",
        "_connection",
        "_conversation",
        "_cursor",
        "_data_asked_s",
        "_followed",
        "_free_s",
        "_has_heard",
        "_on_lost",
        "_opened_s",
        "_opener",
        "_pongs",
        "_served_s",
        "arrivals",
        "churns",
        "index",
    )

    def __init__(self, clients: "Clients", index: int, on_lost: Callable[..., None]) -> None:
        super().__init__()
        self._clients = clients
        self._connection: Connection | None = None
        self._conversation: Conversation | None = None
        self._on_lost = on_lost
        self._cursor: str | None = None
        """Where the last connection came to, if its target told; the next one goes on from there."""
        self._opened_s = 0.0
        self._asked_s = 0.0
        """When the subscriptions were asked for that are not confirmed yet; 0 without such."""
        self._data_asked_s = 0.0
        """When the first subscriptions were, until the first update comes; 0 after that."""
        self._born_s = 0.0
        self._has_heard = False
        self._followed = 0
        """Subscriptions per connection that the last complete change was made for."""
        self._free_s = 0.0
        """When the next request may go out, where they are paced."""
        self._opener: AsyncResult[str | None] | None = None
        """Is told how the steps before the subscriptions ended: None, or why they failed."""
        self.index = index
        self.churns = False
        """Is of those that are replaced while a step is held, where not all are."""
        self.arrivals = 0
        """Moments at which updates came, since the plateau began."""
        self._served_s = 0.0
        self._pongs: int | None = None
        """That had come when the ping of this plateau was sent; None before."""

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    @property
    def is_judged(self) -> bool:
        """Whether its silence would be the target's doing."""
        return self._connection is not None

    @property
    def born_s(self) -> float:
        """Return when this connection was opened; another one has another time."""
        return self._born_s

    @property
    def is_following(self) -> bool:
        """Whether it follows a channel, or waits for the confirmation of one."""
        conversation = self._conversation
        return conversation is not None and bool(conversation.live or conversation.pending)

    @property
    def has_answered(self) -> bool | None:
        """Whether the ping of this plateau was answered; None if there was none."""
        if self._connection is None or self._pongs is None:
            return None
        return self._connection.reader.pongs > self._pongs

    def begin_plateau(self) -> None:
        """Count arrivals anew."""
        self.arrivals, self._pongs = 0, None

    def ping(self) -> None:
        """Ask the other end whether it is there (RFC 6455, section 5.5.2), where it can be asked."""
        if self._connection is not None and self._connection.reader.ping:
            self._pongs = self._connection.reader.pongs
            self._connection.send_frame(self._connection.reader.ping)

    def open(self) -> None:
        """Connect and subscribe. Blocks the calling greenlet; raises HandshakeError."""
        clients = self._clients
        started_s = time.monotonic()
        values = clients.values.of(self.index) if clients.has_values else NOTHING
        opened = open_connection(self._endpoint(values))
        # Stage and run may have come to their end during the handshake.
        if clients.is_over:
            opened.socket.close()
            return
        self._opened_s, self.upgraded_at_s = started_s, opened.arrived_at_s
        self._born_s, self._has_heard = time.monotonic(), False
        self._followed = clients.stage.subscriptions_per_connection
        before = self._conversation
        self._conversation = Conversation(
            clients.dialect,
            clients.channels_of(self.index),
            *((at_this_moment(values),) if clients.has_values else ()),
        )
        self._connection = clients.connections.add(
            opened.socket, self, clients.max_message_bytes, opened.compression, opened.reader
        )
        for phase, phase_us in opened.phases_us.items():
            clients.counters.opening[phase].append(phase_us)
        self._ask(self._conversation.start(), is_first=bool(self._conversation.channels))
        if before is not None and self._cursor is not None:
            self._conversation.go_on_from(before)
        if self._conversation.is_opening:
            self._await_opening(clients.dialect.source.ws.open_timeout_s)
        clients.counters.connects += 1
        self._note_milestones(has_data=False)
        if not self._conversation.channels:
            self.tell_served()

    def _await_opening(self, timeout_s: float) -> None:
        """Wait until the steps before the subscriptions are done. Raises HandshakeError."""
        self._opener = opener = AsyncResult()
        try:
            trouble = opener.get(timeout=timeout_s)
        except gevent.Timeout:
            trouble = "handshake_opening_timeout"
        finally:
            self._opener = None
        if trouble is not None:
            refusal = self._conversation.refusal if self._conversation is not None else None
            self.close()
            raise HandshakeError(trouble, None if refusal is None else f"opening {refusal}")

    def _endpoint(self, values: Mapping[str, Any]) -> Endpoint:
        endpoint = self._clients.endpoint_for(self._clients.channels_of(self.index), values)
        if self.away is None and self._cursor is None:
            return endpoint
        return replace(endpoint, is_stamped=self.away is not None, cursor=self._cursor)

    def follow(self) -> None:
        """Subscribe and unsubscribe until the stage's channels are the ones followed."""
        conversation = self._conversation
        if self._connection is None or conversation is None or not self._clients.can_resubscribe:
            return
        if not conversation.pending:
            self._followed = self._clients.stage.subscriptions_per_connection
        wanted = self._clients.channels_of(self.index)
        live = conversation.live
        gone = [channel for channel in live if channel not in wanted]
        new = [channel for channel in wanted if conversation.may_subscribe(channel)]
        if gone:
            self._request(conversation.unsubscribe(gone))
        if new:
            self._ask(conversation.subscribe(new), is_first=not live)

    def beat(self, rule: int) -> None:
        """Send what the dialect's periodic rule with this number says."""
        if self._connection is not None and self._conversation is not None:
            self._send(self._conversation.every(rule))

    def close(self) -> None:
        if self._connection is not None:
            self._cursor = self._connection.reader.cursor
            self._connection.close()
            self._connection = None

    def renew(self) -> None:
        """Close, and have whoever owns this slot open it again at once, as another client."""
        self.close()
        self._cursor = None
        self._on_lost(at_once=True)

    def on_messages(  # noqa: C901 - the hot path: one pass, few calls
        self, connection: Connection, payloads: Sequence[bytes]
    ) -> None:
        conversation = self._conversation
        assert conversation is not None
        self._has_heard = True
        counters = self._clients.counters
        deliveries, delivered_bytes = counters.deliveries, counters.delivered_bytes
        came_bytes = 0
        if self._clients.dialect.envelope is not None:
            came_bytes = sum(map(len, payloads))
            payloads = conversation.messages(payloads)
        was_pending = conversation.pending
        now_s = time.time()
        target_now_s = now_s + self._clients.clock_offset_s
        published_at_s: float | None = None
        for payload in payloads:
            published_at_s = conversation.glance(payload)
            if published_at_s is None:
                published_at_s = self._receive(conversation, payload)
            else:
                counters.deliveries += 1
                counters.delivered_bytes += len(payload)
            if published_at_s is not None and self.away is None:
                counters.delivery_delay.append((target_now_s - published_at_s) * 1e6)
        if came_bytes and (unwrapped_bytes := sum(map(len, payloads))):
            share = (counters.delivered_bytes - delivered_bytes) / unwrapped_bytes
            counters.delivered_bytes = delivered_bytes + round(came_bytes * share)
        if self._clients.dialect.glances.unnumbered:
            counters.unnumbered += self._clients.dialect.glances.unnumbered
            self._clients.dialect.glances.unnumbered = 0
        if connection.arrived_at_s is not None:
            self._note_arrival(connection.arrived_at_s, now_s, published_at_s)
        if counters.deliveries != deliveries and abs(now_s - self._served_s) > ONE_MOMENT_S:
            self._served_s = now_s
            self.arrivals += 1
        if self._asked_s or self._opened_s or self._data_asked_s:
            self._note_milestones(has_data=counters.deliveries != deliveries)
        if was_pending and not conversation.pending:
            self._catch_up()

    def _receive(self, conversation: Conversation, message: bytes) -> float | None:
        """Read a message in full, note what it is and answer it; return when it was published."""
        published_at_s: float | None = None
        is_counted = False
        for reception in conversation.receive_all(message):
            if reception.kind is Kind.DATA:
                published_at_s = reception.published_at_s
                is_counted = is_counted or bool(reception.updates)
            note(self._clients.counters, reception)
            if reception.kind is Kind.ACK:
                self._request(reception.replies)
            else:
                for reply in reception.replies:
                    self._send(reply)
        if is_counted:
            self._clients.counters.delivered_bytes += len(message)
        if self._opener is not None and not self._opener.ready():
            if conversation.refusal is not None:
                self._opener.set("handshake_opening_refused")
            elif not conversation.is_opening:
                self._opener.set(None)
        return published_at_s

    def _note_arrival(
        self, arrived_at_s: float, now_s: float, published_at_s: float | None
    ) -> None:
        """Note how long the last message was under way, and how long it waited for us since."""
        counters = self._clients.counters
        counters.queueing.append((now_s - arrived_at_s) * 1e6)
        if published_at_s is not None and self.away is None:
            delay_s = arrived_at_s + self._clients.clock_offset_s - published_at_s
            counters.arrival_delay.append(delay_s * 1e6)

    def on_lost(self, connection: Connection, reason: str) -> None:
        self._connection, self._cursor = None, connection.reader.cursor
        if self._opener is not None:
            closing = connection.reader.closing
            self._opener.set(reason if closing is None else f"handshake_closed_{closing[0]}")
            self._note_closing(connection)
            return
        self._note_closing(connection)
        if self.tell_lost(reason):
            return
        clients, counters = self._clients, self._clients.counters
        if self._is_refusal(connection):
            assert connection.reader.closing is not None
            reason = f"handshake_closed_{connection.reader.closing[0]}"
            counters.connects -= 1
            clients.connect_pacer.taken_back(reason)
        elif self._has_come_of_age(connection):
            clients.connect_pacer.owe()
            self._on_lost(at_once=True)  # The load is held, whatever the target's bound on ages.
            return
        else:
            counters.lost += 1
            counters.open_before_loss = max(counters.open_before_loss, len(clients.connections) + 1)
            clients.connect_pacer.note_failure(reason)
        counters.fail(reason)
        self._on_lost()

    def _has_come_of_age(self, connection: Connection) -> bool:
        """Tell whether the target ended it at the age at which it ends all."""
        now_s = time.monotonic()
        known = self._clients.lifetimes.note(now_s - self._born_s, now_s, connection.reader.closing)
        if not known:
            return False
        counters = self._clients.counters
        counters.expired += known
        counters.lost -= known - 1  # Those before it were taken for lost.
        counters.fail("connection_expired")
        counters.lifetime.append(self._clients.lifetimes.age_s * 1e6)
        return True

    def _note_closing(self, connection: Connection) -> None:
        if connection.reader.closing is not None:
            self._clients.counters.note_said(closing_text(*connection.reader.closing))

    def _is_refusal(self, connection: Connection) -> bool:
        """Tell whether the target upgraded a connection only to say that it does not want it."""
        closing = connection.reader.closing
        return (
            closing is not None
            and closing[0] != GOING_AWAY
            and not self._has_heard
            and time.monotonic() - self._born_s < REFUSED_WITHIN_S
        )

    def _catch_up(self) -> None:
        """Follow a stage that began while answers were under way. Refused channels stay refused."""
        if self._followed != self._clients.stage.subscriptions_per_connection:
            self.follow()

    def _ask(self, frames: Sequence[bytes], *, is_first: bool) -> None:
        """Send what subscribes; *is_first* where no update comes without it."""
        assert self._conversation is not None
        asked_s = time.monotonic()
        self._request(frames)
        self._asked_s = asked_s if self._conversation.pending else 0.0
        self._data_asked_s = asked_s if is_first else 0.0

    def _note_milestones(self, *, has_data: bool) -> None:
        """Note how long the first update took, and how long all confirmations, once each."""
        counters = self._clients.counters
        if has_data and self._data_asked_s:
            counters.opening["first_data"].append(_us_since(self._data_asked_s))
            self._data_asked_s = 0.0
            self.tell_served()
        if not (self._asked_s or self._opened_s):
            return
        if self._conversation is None or self._conversation.pending:
            return
        if self._opened_s:
            counters.handshake_time.append(_us_since(self._opened_s))
        if self._asked_s:
            counters.opening["subscription"].append(_us_since(self._asked_s))
        self._opened_s = self._asked_s = 0.0

    def _request(self, frames: Sequence[bytes]) -> None:
        """Send requests, no faster than the dialect allows one connection to."""
        if self._clients.request_interval_s is None:
            for frame in frames:
                self._send(frame)
        elif frames:
            gevent.spawn(self._send_paced, self._connection, frames)

    def _send_paced(self, connection: Connection, frames: Sequence[bytes]) -> None:
        interval_s = self._clients.request_interval_s
        assert interval_s is not None
        for frame in frames:
            now_s = time.monotonic()
            due_s = max(now_s, self._free_s)
            self._free_s = due_s + interval_s
            gevent.sleep(due_s - now_s)
            if self._connection is not connection:
                return
            self._send(frame)

    def _send(self, payload: bytes) -> None:
        if self._connection is not None:
            self._connection.send(payload, is_binary=self._clients.dialect.is_binary)


def _us_since(moment_s: float) -> int:
    return round((time.monotonic() - moment_s) * 1e6)
