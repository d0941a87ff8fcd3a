"""A subscriber that reads below the publish rate, so that what the target keeps for it fills up.

What reaches it late or never is its own doing: no delay and no gap is counted, and a target that
drops it for being slow has lost no connection. While it follows nothing it reads like all others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from capacity.loadgen.client.connection_slot import ConnectionSlot
from capacity.loadgen.wire.connection import Connection
from capacity.loadgen.wire.endpoint import Endpoint

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
        self._has_heard = True
        deliveries, gaps = counters.deliveries, counters.gaps
        was_pending = conversation.pending
        for message in conversation.messages(payloads):
            self._receive(conversation, message)
        counters.gaps = gaps
        self._note_milestones(has_data=counters.deliveries != deliveries)
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
        conversation = self._conversation
        if self._connection is None or conversation is None or self._is_slow:
            return
        if not conversation.pending and conversation.live:
            self._is_slow = True
            self._clients.connections.slow_down(self._connection)
