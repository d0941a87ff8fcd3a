"""One subscriber connection: its conversation with the target, and what it adds to the counters."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from capacity.loadgen.client.slots.losses import has_expired, refusal_in
from capacity.loadgen.client.slots.noting import note
from capacity.loadgen.client.slots.opening_steps import OpeningSteps
from capacity.loadgen.client.slots.opening_times import OpeningTimes
from capacity.loadgen.client.slots.request_pacer import RequestPacer
from capacity.loadgen.client.slots.watched import ONE_MOMENT_S, Watched
from capacity.loadgen.client.slots.worker_state import WorkerState
from capacity.loadgen.wire.connection import Connection
from capacity.loadgen.wire.connection_values import at_this_moment
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.frames import closing_text
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.loadgen.wire.streams.opener import open_connection
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.values import NOTHING
from capacity.workload.reception import Kind


class ConnectionSlot(Watched):
    """A connection slot: open or not, following the channels that the stage asks for."""

    __slots__ = (
        "_clients",
        "_cursor",
        "_followed",
        "_on_lost",
        "_pacer",
        "_steps",
        "_times",
        "_was_let_in",
    )

    def __init__(self, clients: WorkerState, index: int, on_lost: Callable[..., None]) -> None:
        super().__init__(index)
        self._clients = clients
        self._on_lost = on_lost
        self._cursor: str | None = None
        """Where the last connection came to, if its target told; the next one goes on from there."""
        self._times = OpeningTimes()
        self._pacer = RequestPacer(clients.request_turns)
        self._was_let_in = False
        """Whether the target served this connection, or confirmed what it asked for."""
        self._followed = 0
        """Subscriptions per connection that the last complete change was made for."""
        self._steps: OpeningSteps | None = None
        """Those before the subscriptions, while they are waited for."""

    @property
    def kind(self) -> WorkerState:
        """What it shares with the connections of its kind."""
        return self._clients

    @property
    def has_entered(self) -> bool:
        """Tell whether it is open, and the target has let it in where it has to log in first."""
        return self._connection is not None and self._steps is None

    def open(self) -> None:
        """Connect and subscribe. Blocks the calling greenlet; raises HandshakeError."""
        clients = self._clients
        started_s = time.monotonic()
        values = clients.values.of(self.index) if clients.has_values else NOTHING
        self._values = values
        opened = open_connection(self._endpoint(values))
        # Stage and run may have come to their end during the handshake.
        if clients.is_over:
            opened.socket.close()
            return
        self._times.begin(started_s)
        self.upgraded_at_s = opened.arrived_at_s
        self._born_s, self._was_let_in = time.monotonic(), False
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
            wait_s = clients.request_turns.wait_s(len(clients.dialect.steps))
            self._await_opening(clients.dialect.source.ws.open_timeout_s + wait_s)
        clients.counters.connects += 1
        self._note_milestones(has_data=False)
        if not self._conversation.channels:
            self.tell_served()

    def _await_opening(self, timeout_s: float) -> None:
        """Wait until the steps before the subscriptions are done. Raises HandshakeError."""
        self._steps = steps = OpeningSteps()
        self._clients.connections.entering += 1
        try:
            trouble = steps.wait(timeout_s)
        finally:
            self._clients.connections.entering -= 1
            self._steps = None
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

    def send_periodic(self, rule: int) -> None:
        """Send what the dialect's periodic rule with this number says."""
        if self._connection is not None:
            assert self._conversation is not None
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
        if self._times.are_due:
            self._note_milestones(has_data=counters.deliveries != deliveries)
        if not self._was_let_in:
            is_confirmed = was_pending and not conversation.pending and bool(conversation.live)
            self._was_let_in = is_confirmed or counters.deliveries != deliveries
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
            note(self._clients.counters, reception, self.without_secrets)
            if reception.kind is Kind.ACK:
                self._request(reception.replies)
            else:
                for reply in reception.replies:
                    self._send(reply)
        if is_counted:
            self._clients.counters.delivered_bytes += len(message)
        if self._steps is not None:
            self._steps.note(conversation)
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
        if (closing := connection.reader.closing) is not None:
            self._clients.counters.note_said(self.without_secrets(closing_text(*closing)))
        if self._steps is not None:
            self._steps.note_lost(reason, closing)
            return
        if self.tell_lost(reason):
            return
        clients, counters = self._clients, self._clients.counters
        now_s = time.monotonic()
        age_s = now_s - self._born_s
        refusal = refusal_in(closing, was_let_in=self._was_let_in, age_s=age_s)
        if refusal is not None:
            counters.connects -= 1
            clients.connect_pacer.taken_back(refusal)
        elif has_expired(
            *(clients.lifetimes, counters, closing, clients.slots.values()),
            age_s=age_s,
            now_s=now_s,
            is_held=clients.stage.is_held,
        ):
            clients.connect_pacer.owe()
            self._on_lost(at_once=True)  # The load is held, whatever the target's bound on ages.
            return
        else:
            counters.lost += 1
            counters.open_before_loss = max(
                counters.open_before_loss, clients.connections.entered + 1
            )
            clients.connect_pacer.note_failure(reason)
        counters.fail(refusal or reason)
        self._on_lost()

    def _catch_up(self) -> None:
        """Follow a stage that began while answers were under way. Refused channels stay refused."""
        if self._followed != self._clients.stage.subscriptions_per_connection:
            self.follow()

    def _ask(self, frames: Sequence[bytes], *, is_first: bool) -> None:
        """Send what subscribes; *is_first* where no update comes without it."""
        assert self._conversation is not None
        asked_s = time.monotonic()
        self._request(frames)
        is_pending = bool(self._conversation.pending)
        self._times.ask(asked_s, is_pending=is_pending, is_first=is_first)

    def _note_milestones(self, *, has_data: bool) -> None:
        """Note how long the first update took, and how long all confirmations, once each."""
        counters = self._clients.counters
        if has_data and self._times.note_data(counters):
            self.tell_served()
        if self._conversation is not None and not self._conversation.pending:
            self._times.note_confirmed(counters)

    def _request(self, frames: Sequence[bytes]) -> None:
        """Send requests, no faster than the dialect allows: what waits for that is no delay of the target."""
        if frames:
            self._pacer.send(
                frames, partial(self._send_over, self._connection), self._times.hold_back
            )

    def _send(self, payload: bytes) -> None:
        self._send_over(self._connection, payload)

    def _send_over(self, connection: Connection | None, payload: bytes) -> bool:
        """Send, unless that connection is not this slot's any more; return whether it is."""
        if connection is None or self._connection is not connection:
            return False
        connection.send(payload, is_binary=self._clients.dialect.is_binary)
        return True
