"""What a connection asks of the worker that it belongs to, and counts into."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from capacity.loadgen.client.arrivals.connect_pacer import ConnectPacer
from capacity.loadgen.client.arrivals.lifetimes import Lifetimes
from capacity.loadgen.client.slots.request_pacer import SharedTurns
from capacity.loadgen.protocol.counters import Counters
from capacity.loadgen.protocol.instructions import Stage
from capacity.loadgen.wire.connection_values import ConnectionValues
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.epoll_set import ConnectionSet
from capacity.settings.target import Target
from capacity.workload.dialects.compiled import CompiledDialect
from capacity.workload.dialects.values import NOTHING


class WorkerState(Protocol):
    """Shared by all connections of one kind of one worker during one run."""

    request_name: str
    """What an attempt to open one is called in Locust's own statistics."""
    slots: dict[int, Any]
    """By index, as long as somebody owns them."""
    target: Target
    dialect: CompiledDialect
    counters: Counters
    connections: ConnectionSet
    connect_pacer: ConnectPacer
    lifetimes: Lifetimes
    sources: Iterator[str | None]
    values: ConnectionValues
    has_values: bool
    """Templates hold more than channels and ids."""
    clock_offset_s: float
    max_message_bytes: int
    request_turns: SharedTurns

    @property
    def stage(self) -> Stage: ...

    @property
    def is_over(self) -> bool: ...

    @property
    def can_resubscribe(self) -> bool:
        """Whether an open connection can change what it follows."""

    def channels_of(self, index: int) -> list[str]:
        """Return the channels that the connection with this index follows in this stage."""

    def endpoint_for(
        self, channels: Sequence[str], values: Mapping[str, Any] = NOTHING
    ) -> Endpoint:
        """Return where a connection that follows *channels* leads, the next source address taken."""
