"""One WebSocket connection: its requests, its subscriptions, its costs, its end.

Frames go straight to the transport, so that one update is the same bytes for everybody; what an option
asks for beyond that stands before it. A connection that lets too much pile up is too slow and ends.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from capacity.exchange.admission.gate import BANNED, Gate, Refusal
from capacity.exchange.admission.weights import weight_of
from capacity.exchange.api.heartbeat import Heartbeat
from capacity.exchange.api.methods import WEBSOCKET_ONLY, call, require_account
from capacity.exchange.api.rpc import (
    TOO_MANY_REQUESTS,
    Params,
    RpcError,
    answered,
    invalid_params,
    method_and_params,
    names_param,
    positive_param,
)
from capacity.exchange.api.user_channels import PREFIX
from capacity.exchange.counters import Counters
from capacity.exchange.frames import Outlet, close_frame, pong_frame, text_frame
from capacity.exchange.market.publisher import Publisher
from capacity.exchange.options import ExchangeOptions
from capacity.exchange.outlets.spoiled import SpoiledOutlet
from capacity.exchange.settable_costs import burn_cpu, touched_memory
from capacity.exchange.venue import Venue

HEARTBEAT_CLOSE = 4000
GOING_AWAY = 1001
POLICY_VIOLATION = 1008
SLOW_CONSUMER = "slow consumer"
LAST_CHANCE_S = 5.0
"""What a client that was too slow gets to read the rest and the close."""


class Session:
    __slots__ = (
        "_address",
        "_banned",
        "_channels",
        "_counters",
        "_cpu_per_message_us",
        "_gate",
        "_heartbeat",
        "_joining",
        "_most_waiting_bytes",
        "_options",
        "_outlet",
        "_publisher",
        "_state",
        "_venue",
        "client_id",
    )

    def __init__(
        self,
        outlet: Outlet,
        *,
        venue: Venue,
        publisher: Publisher,
        counters: Counters,
        options: ExchangeOptions,
        gate: Gate | None = None,
        address: str = "",
    ) -> None:
        """Converse over *outlet*; where there is a *gate*, the client's *address* pays there."""
        self._outlet = outlet
        self._venue = venue
        self._publisher = publisher
        self._counters = counters
        self._options = options
        self._gate = gate
        self._address = address
        self._banned: Refusal | None = None
        self._cpu_per_message_us = options.cpu_per_message_us
        self._most_waiting_bytes = options.slow_consumer_bytes
        self._state = touched_memory(options.state_bytes)
        self._channels: dict[str, str] = {}
        """Names, each with the account that it is of; those of the market are of none."""
        self._joining: tuple[str, ...] = ()
        self._heartbeat: Heartbeat | None = None
        self.client_id: str | None = None

    @property
    def channels(self) -> Collection[str]:
        """Return the names of the channels that are followed."""
        return self._channels

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

    def receive(self, text: bytes) -> None:
        """Answer one request; its acknowledgement precedes what new subscriptions bring."""
        if self._outlet.is_closing():
            return
        self._send(text_frame(answered(text, self._answer)[1]))
        if self._banned is not None:
            self.close(POLICY_VIOLATION, self._banned.reason)
        joining, self._joining = self._joining, ()
        for name in joining:
            self._join(name)

    def _join(self, name: str) -> None:
        self._counters.subscriptions += 1
        if name.startswith(PREFIX):
            assert self.client_id is not None
            self._channels[name] = self.client_id
            self._venue.user_channels.subscribe(self.client_id, name, self)
        else:
            self._channels[name] = ""
            self._publisher.subscribe(name, self)

    def close(self, code: int, reason: str) -> None:
        """Say goodbye and end the connection, without waiting for a reader that does not read."""
        if self._outlet.is_closing():
            return
        self._outlet.write(close_frame(code, reason))
        if self._outlet.get_write_buffer_size():
            self._outlet.abort()
        else:
            self._outlet.close()

    def release(self) -> None:
        """Give back all that the connection held; it is gone."""
        self._leave(list(self._channels))
        self._stop_heartbeat()

    def _send(self, frame: bytes) -> None:
        self._outlet.write(frame)
        if self._outlet.get_write_buffer_size() > self._most_waiting_bytes:
            self._counters.too_slow += 1
            self._evict()

    def _evict(self) -> None:
        code = self._options.slow_consumer_code
        if code is None:
            self._outlet.abort()
            return
        self._outlet.write(close_frame(code, SLOW_CONSUMER))
        self._outlet.close()
        asyncio.get_running_loop().call_later(LAST_CHANCE_S, self._outlet.abort)

    def _answer(self, request: Mapping[str, Any]) -> Any:
        method, params = method_and_params(request)
        if self._gate is not None:
            self._pay(self._gate, method, params)
        if method == "public/test" and self._heartbeat is not None:
            self._heartbeat.answered()
        if method not in WEBSOCKET_ONLY:
            return call(self._venue, self, method, params)
        require_account(self, method)
        match method.partition("/")[2]:
            case "subscribe":
                is_private = method.startswith("private/")
                return self._subscribed(names_param(params, "channels"), is_private=is_private)
            case "unsubscribe":
                return self._leave(names_param(params, "channels"))
            case "unsubscribe_all":
                self._leave(list(self._channels))
            case "set_heartbeat":
                self._start_heartbeat(params)
            case "disable_heartbeat":
                self._stop_heartbeat()
        return "ok"

    def _pay(self, gate: Gate, method: str, params: Params) -> None:
        refusal = gate.ask(self._address, weight_of(method, params))
        if refusal is None:
            return
        if refusal.status == BANNED:
            self._banned = refusal
        raise RpcError(
            TOO_MANY_REQUESTS,
            "too_many_requests",
            reason=refusal.reason,
            wait=refusal.retry_after_s,
        )

    def _subscribed(self, names: list[str], *, is_private: bool) -> list[str]:
        """Return those of *names* that are channels; the others are left out in silence."""
        user = self._venue.user_channels
        known = [
            name
            for name in dict.fromkeys(names)
            if self._publisher.offers(name) or (is_private and user.offers(name))
        ]
        self._joining = tuple(name for name in known if name not in self._channels)
        return known

    def _leave(self, names: list[str]) -> list[str]:
        left = [name for name in dict.fromkeys(names) if name in self._channels]
        for name in left:
            client_id = self._channels.pop(name)
            self._counters.subscriptions -= 1
            if client_id:
                self._venue.user_channels.unsubscribe(client_id, name, self)
            else:
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
            send=self.notify,
            end=self._end_unanswered,
        )

    def _stop_heartbeat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.stop()
            self._heartbeat = None

    def _end_unanswered(self) -> None:
        self.close(HEARTBEAT_CLOSE, "heartbeat close")
