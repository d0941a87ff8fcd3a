"""A subscriber that reads below the publish rate, so that what the target keeps for it fills up.

What reaches it late or never is its own doing: no delay and no gap is counted, and a target that
drops it for being slow has lost no connection. While it follows nothing it reads like all others.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gevent

from capacity.loadgen.client.slots.connection_slot import ConnectionSlot
from capacity.loadgen.wire.connection import Connection
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.epoll_set import spread

RECEIVE_BUFFER_BYTES = 16_384
"""As little as a slow client takes in before it is its target that has to keep the rest."""
DROPPED = "dropped_slow_reader"
"""What a connection is counted under that the target ended while it was read slowly."""


class SlowReader(ConnectionSlot):
    __slots__ = ("_is_slow",)

    _is_slow: bool

    @property
    def is_judged(self) -> bool:
        return super().is_judged and not self._is_slow

    def open(self) -> None:
        self._is_slow = False
        super().open()

    def _endpoint(self, values: Mapping[str, Any]) -> Endpoint:
        return replace(super()._endpoint(values), receive_buffer_bytes=RECEIVE_BUFFER_BYTES)

    def follow(self) -> None:
        if self._connection is not None:
            # Else the answer would wait behind everything that was not read.
            self._is_slow = False
            self._clients.connections.speed_up(self._connection)
        super().follow()

    def read_slice(self) -> None:
        """Read a piece, if this is read slowly now."""
        if self._connection is not None and self._is_slow:
            self._clients.connections.read_slice(self._connection)

    def on_messages(self, _connection: Connection, payloads: Sequence[bytes]) -> None:
        conversation, counters = self._conversation, self._clients.counters
        assert conversation is not None
        deliveries, gaps, mismatched = counters.deliveries, counters.gaps, counters.mismatched
        was_pending = conversation.pending
        for message in conversation.messages(payloads):
            self._receive(conversation, message)
        counters.gaps, counters.mismatched = gaps, mismatched
        self._note_milestones(has_data=counters.deliveries != deliveries)
        is_confirmed = was_pending and not conversation.pending and bool(conversation.live)
        self._was_let_in |= is_confirmed or counters.deliveries != deliveries
        if was_pending and not conversation.pending:
            self._catch_up()

    def on_lost(self, connection: Connection, reason: str) -> None:
        if not self._is_slow or self.away is not None:
            super().on_lost(connection, reason)
            return
        self._connection = None
        self._clients.counters.fail(DROPPED)
        self._on_lost(at_once=True)

    def _note_milestones(self, *, has_data: bool) -> None:
        super()._note_milestones(has_data=has_data)
        if self._connection is None or self._is_slow:
            return
        conversation = self._conversation
        assert conversation is not None
        if not conversation.pending and conversation.live:
            self._is_slow = True
            self._clients.connections.slow_down(self._connection)


def read_slices_forever(held: Callable[[], Iterable[ConnectionSlot]], interval_s: float) -> None:
    """Have every slow reader of *held* read once in each interval."""
    due_s = time.monotonic()
    while True:
        due_s = max(due_s + interval_s, time.monotonic())
        slow = [slot for slot in held() if isinstance(slot, SlowReader)]
        if slow:
            spread(SlowReader.read_slice, slow, max(1.0, 1.1 * len(slow) / interval_s))
        gevent.sleep(max(0.0, due_s - time.monotonic()))
