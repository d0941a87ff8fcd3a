"""One WebSocket connection whatever is said over it: what it is sent, what that costs, how it ends.

Frames go straight to the transport, so that one update is the same bytes for everybody; what an option
asks for beyond that stands before it. A connection that lets too much pile up is too slow and ends.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection

from capacity.exchange.counters import Counters
from capacity.exchange.frames import Outlet, close_frame, pong_frame
from capacity.exchange.options import ExchangeOptions
from capacity.exchange.outlets.spoiled import SpoiledOutlet
from capacity.exchange.settable_costs import burn_cpu, touched_memory

GOING_AWAY = 1001
POLICY_VIOLATION = 1008
SLOW_CONSUMER = "slow consumer"
LAST_CHANCE_S = 5.0
"""What a client that was too slow gets to read the rest and the close."""


class Peer(ABC):
    __slots__ = (
        "_counters",
        "_cpu_per_message_us",
        "_most_waiting_bytes",
        "_options",
        "_outlet",
        "_state",
    )

    def __init__(self, outlet: Outlet, *, counters: Counters, options: ExchangeOptions) -> None:
        self._outlet = outlet
        self._counters = counters
        self._options = options
        self._cpu_per_message_us = options.cpu_per_message_us
        self._most_waiting_bytes = options.slow_consumer_bytes
        self._state = touched_memory(options.state_bytes)

    @property
    @abstractmethod
    def channels(self) -> Collection[str]:
        """Return the names of the channels that are followed."""

    @abstractmethod
    def receive(self, text: bytes) -> None:
        """Answer one message of the client."""

    @abstractmethod
    def shutdown_notice(self, closes_in_s: float) -> bytes:
        """Return the frame that says when the connection will be closed."""

    @abstractmethod
    def release(self) -> None:
        """Give back all that the connection held; it is gone."""

    def spoiled(self) -> SpoiledOutlet:
        """Return what stands before the connection from now on, for faults to be done to it."""
        if not isinstance(self._outlet, SpoiledOutlet):
            self._outlet = SpoiledOutlet(self._outlet, self._counters)
        return self._outlet

    @property
    def is_mute(self) -> bool:
        """Tell whether a fault keeps this side silent, its end included."""
        return isinstance(self._outlet, SpoiledOutlet) and self._outlet.is_mute

    def answer_ping(self, payload: bytes) -> None:
        self.notify(pong_frame(payload))

    def take_pong(self, payload: bytes) -> None:  # noqa: B027 - most send no pings
        """Note that the client answered a ping of *payload*, where any was sent."""

    def notify(self, frame: bytes) -> None:
        """Send a frame that is neither answer nor update."""
        if not self._outlet.is_closing():
            self._send(frame)

    def deliver(self, frame: bytes) -> None:
        """Send one update of a channel."""
        if self._outlet.is_closing():
            return
        if self._cpu_per_message_us:
            burn_cpu(self._cpu_per_message_us)
        self._counters.deliveries += 1
        self._send(frame)

    def close(self, code: int, reason: str) -> None:
        """Say goodbye and end the connection, without waiting for a reader that does not read."""
        if self._outlet.is_closing():
            return
        self._outlet.write(close_frame(code, reason))
        if self._outlet.get_write_buffer_size():
            self._outlet.abort()
        else:
            self._outlet.close()

    def _send(self, frame: bytes) -> None:
        self._outlet.write(frame)
        if self._outlet.get_write_buffer_size() > self._most_waiting_bytes:
            self._evict()

    def _evict(self) -> None:
        self._counters.too_slow += 1
        code = self._options.slow_consumer_code
        if code is None:
            self._outlet.abort()
            return
        self._outlet.write(close_frame(code, SLOW_CONSUMER))
        self._outlet.close()
        asyncio.get_running_loop().call_later(LAST_CHANCE_S, self._outlet.abort)
