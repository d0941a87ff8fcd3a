"""One WebSocket connection: its requests, its subscriptions, its costs, its end.

Frames go straight to the transport: compression is never negotiated, so that one update is the
same bytes for everybody. A connection that lets a mebibyte pile up is too slow and ends.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from capacity.exchange.api.heartbeat import Heartbeat
from capacity.exchange.api.methods import WEBSOCKET_ONLY, call, require_account
from capacity.exchange.api.rpc import (
    Params,
    answered,
    invalid_params,
    method_and_params,
    names_param,
    positive_param,
)
from capacity.exchange.counters import Counters
from capacity.exchange.frames import close_frame, text_frame
from capacity.exchange.market.publisher import Publisher
from capacity.exchange.options import ExchangeOptions
from capacity.exchange.settable_costs import burn_cpu, touched_memory
from capacity.exchange.venue import Venue

LARGEST_BACKLOG_BYTES = 1 << 20
"""Unsent bytes at which a connection counts as too slow."""

HEARTBEAT_CLOSE = 4000
GOING_AWAY = 1001


class Session:
    __slots__ = (
        "_channels",
        "_counters",
        "_cpu_per_message_us",
        "_heartbeat",
        "_joining",
        "_options",
        "_publisher",
        "_state",
        "_transport",
        "_venue",
        "client_id",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        venue: Venue,
        publisher: Publisher,
        counters: Counters,
        options: ExchangeOptions,
    ) -> None:
        self._transport = transport
        self._venue = venue
        self._publisher = publisher
        self._counters = counters
        self._options = options
        self._cpu_per_message_us = options.cpu_per_message_us
        self._state = touched_memory(options.state_bytes)
        self._channels: dict[str, None] = {}
        self._joining: tuple[str, ...] = ()
        self._heartbeat: Heartbeat | None = None
        self.client_id: str | None = None

    def deliver(self, frame: bytes) -> None:
        """Send one update of a channel."""
        if self._transport.is_closing():
            return
        if self._cpu_per_message_us:
            burn_cpu(self._cpu_per_message_us)
        self._counters.deliveries += 1
        self._send(frame)

    def receive(self, text: bytes) -> None:
        """Answer one request; its acknowledgement precedes what new subscriptions bring."""
        if self._transport.is_closing():
            return
        self._send(text_frame(answered(text, self._answer)[1]))
        joining, self._joining = self._joining, ()
        for name in joining:
            self._channels[name] = None
            self._counters.subscriptions += 1
            self._publisher.subscribe(name, self)

    def close(self, code: int, reason: str) -> None:
        """Say goodbye and end the connection, without waiting for a reader that does not read."""
        if self._transport.is_closing():
            return
        self._transport.write(close_frame(code, reason))
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def release(self) -> None:
        """Give back all that the connection held; it is gone."""
        self._leave(list(self._channels))
        self._stop_heartbeat()

    def _send(self, frame: bytes) -> None:
        self._transport.write(frame)
        if self._transport.get_write_buffer_size() > LARGEST_BACKLOG_BYTES:
            self._counters.too_slow += 1
            self._transport.abort()

    def _answer(self, request: Mapping[str, Any]) -> Any:
        method, params = method_and_params(request)
        if method == "public/test" and self._heartbeat is not None:
            self._heartbeat.answered()
        if method not in WEBSOCKET_ONLY:
            return call(self._venue, self, method, params)
        require_account(self, method)
        match method.partition("/")[2]:
            case "subscribe":
                return self._subscribed(names_param(params, "channels"))
            case "unsubscribe":
                return self._leave(names_param(params, "channels"))
            case "unsubscribe_all":
                self._leave(list(self._channels))
            case "set_heartbeat":
                self._start_heartbeat(params)
            case "disable_heartbeat":
                self._stop_heartbeat()
        return "ok"

    def _subscribed(self, names: list[str]) -> list[str]:
        """Return those of *names* that are channels; the others are left out in silence."""
        known = [name for name in dict.fromkeys(names) if self._publisher.offers(name)]
        self._joining = tuple(name for name in known if name not in self._channels)
        return known

    def _leave(self, names: list[str]) -> list[str]:
        left = [name for name in dict.fromkeys(names) if name in self._channels]
        for name in left:
            del self._channels[name]
            self._counters.subscriptions -= 1
            self._publisher.unsubscribe(name, self)
        return left

    def _start_heartbeat(self, params: Params) -> None:
        interval_s = positive_param(params, "interval")
        if interval_s < self._options.heartbeat_min_s:
            raise invalid_params("interval", f"must be at least {self._options.heartbeat_min_s:g}")
        self._stop_heartbeat()
        self._heartbeat = Heartbeat(
            interval_s=interval_s,
            grace_s=self._options.heartbeat_grace_s,
            send=self._notify,
            end=self._end_unanswered,
        )

    def _stop_heartbeat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.stop()
            self._heartbeat = None

    def _notify(self, frame: bytes) -> None:
        if not self._transport.is_closing():
            self._send(frame)

    def _end_unanswered(self) -> None:
        self.close(HEARTBEAT_CLOSE, "heartbeat close")
