"""Watches one instrument beside the load: pushed to one connection, polled on another.

Both note which version they hold since when; how fresh that was the master computes. Nothing of this
lies on the way of the load's own messages.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

import gevent
from gevent.event import Event

from capacity.loadgen.client.slots.request_pacer import RequestPacer
from capacity.loadgen.client.slots.worker_state import WorkerState
from capacity.loadgen.wire.connection import Connection
from capacity.loadgen.wire.connection_values import at_this_moment
from capacity.loadgen.wire.epoll_set import ConnectionSet
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.loadgen.wire.http_connection import ExchangeError
from capacity.loadgen.wire.polls import one_poll, poll_connection
from capacity.loadgen.wire.streams.opener import open_connection
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.address import channel_name
from capacity.workload.dialects.values import NOTHING
from capacity.workload.reception import Kind
from capacity.workload.versions import PushedVersions, polled_version

RETRY_S = 1.0


class FreshnessProbe:
    def __init__(self, clients: WorkerState, operation: str, poll_interval_s: float) -> None:
        dialect, self._clients = clients.dialect.source, clients
        described = dialect.rest[operation]
        symbol = next(iter(clients.target.symbols), "")
        assert described.channel is not None
        assert described.version is not None
        self._channel = channel_name(dialect, described.channel, symbol)
        self._version = described.version
        self._versions = PushedVersions(clients.dialect, self._channel)
        self._poll = one_poll(clients.target, dialect, operation, symbol, is_kept=True)
        self._poll_interval_s = poll_interval_s
        self._connections = ConnectionSet()
        self._connection: Connection | None = None
        self._conversation: Conversation | None = None
        self._lost = Event()
        self._pacer = RequestPacer(clients.request_turns)
        self._greenlets = [gevent.spawn(self._follow_forever), gevent.spawn(self._poll_forever)]

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def send_periodic(self, rule: int) -> None:
        """Send what the dialect's periodic rule with this number says."""
        if self._conversation is not None:
            self._send(self._conversation.every(rule))

    def close(self) -> None:
        gevent.killall(self._greenlets, block=False)
        self._connections.close()

    def on_messages(self, _connection: Connection, payloads: Sequence[bytes]) -> None:
        conversation = self._conversation
        assert conversation is not None
        now_s = self._now_s()
        for message in conversation.messages(payloads):
            for seen in self._versions.seen(message):
                self._clients.counters.pushed_versions.append((now_s, *seen))
            for reception in conversation.receive_all(message):
                if reception.kind is Kind.ACK:
                    self._request(reception.replies)
                    continue
                for reply in reception.replies:
                    self._send(reply)

    def on_lost(self, _connection: Connection, reason: str) -> None:
        self._connection = None
        self._clients.counters.fail(f"freshness_{reason}")
        self._lost.set()

    def _now_s(self) -> float:
        return time.time() + self._clients.clock_offset_s

    def _request(self, frames: Sequence[bytes]) -> None:
        """Send what the run has a pace for, as its clients do."""
        send = partial(self._send_over, self._connection)
        self._pacer.send(frames, send, lambda _held_s: None)

    def _send(self, frame: bytes) -> None:
        self._send_over(self._connection, frame)

    def _send_over(self, connection: Connection | None, frame: bytes) -> bool:
        """Send, unless that connection is gone; return whether it is not."""
        if connection is None or self._connection is not connection:
            return False
        connection.send(frame)
        return True

    def _follow_forever(self) -> None:
        clients = self._clients
        while True:
            try:  # As the first client: its login is the one that the run was tried with.
                values = clients.values.of(0) if clients.has_values else NOTHING
                opened = open_connection(clients.endpoint_for((self._channel,), values))
            except HandshakeError as error:
                self._clients.counters.fail(f"freshness_{error}")
            else:
                self._lost.clear()
                self._conversation = Conversation(
                    clients.dialect, (self._channel,), at_this_moment(values)
                )
                self._connection = self._connections.add(
                    opened.socket,
                    self,
                    self._clients.max_message_bytes,
                    opened.compression,
                    opened.reader,
                )
                self._request(self._conversation.start())
                self._lost.wait()
            gevent.sleep(RETRY_S)

    def _poll_forever(self) -> None:
        clients, poll = self._clients, self._poll
        connection = poll_connection(
            clients.target,
            clients.dialect.source,
            poll.url,
            clients.sources,
            10.0,
            is_kept=True,
        )
        due_s = time.monotonic()
        request = b"\r\n".join((poll.head, poll.body))
        try:
            while True:
                due_s = max(due_s + self._poll_interval_s, time.monotonic())
                gevent.sleep(max(0.0, due_s - time.monotonic()))
                self._polled(lambda: connection.exchange(request, is_repeatable=True).body)
        finally:
            connection.close()

    def _polled(self, ask: Callable[[], bytes]) -> None:
        asked_s = time.monotonic()
        try:
            body = ask()
        except ExchangeError as error:
            self._clients.counters.fail(f"freshness_{error}")
            return
        version = polled_version(self._version, body)
        if version is None:
            self._clients.counters.fail("freshness_no_version")
            return
        took_s = time.monotonic() - asked_s
        self._clients.counters.polled_versions.append((self._now_s(), version, took_s))
