"""One WebSocket connection in Binance's dialect: its requests, its streams, its pings.

Streams that do not exist are confirmed like any other, and bring nothing.
"""

from collections.abc import Collection, Sequence
from typing import Any

import orjson

from capacity.exchange.admission.gate import Gate
from capacity.exchange.api.heartbeat import Heartbeat
from capacity.exchange.binance.spot_figures import now_ms
from capacity.exchange.binance.spot_venue import SpotVenue
from capacity.exchange.binance.stream_requests import (
    StreamError,
    StreamRequest,
    parsed_stream_request,
    property_asked_for,
    stream_names,
    too_many,
)
from capacity.exchange.counters import Counters
from capacity.exchange.frames import Outlet, ping_frame, text_frame
from capacity.exchange.options import ExchangeOptions
from capacity.exchange.outlets.spoiled import SpoiledOutlet
from capacity.exchange.peer import POLICY_VIOLATION, Peer
from capacity.exchange.settable_costs import burn_cpu

SHUTDOWN = "!serverShutdown"
"""Where combined streams are told of it."""
_PAYLOAD = str(now_ms()).encode()
"""Of its pings: a pong that does not have it answers none (web-socket-streams.md of the venue)."""
_PING = ping_frame(_PAYLOAD)


class StreamSession(Peer):
    __slots__ = ("_address", "_channels", "_gate", "_heartbeat", "_spot", "is_combined")

    def __init__(
        self,
        outlet: Outlet,
        *,
        spot: SpotVenue,
        counters: Counters,
        options: ExchangeOptions,
        is_combined: bool,
        gate: Gate | None = None,
        address: str = "",
    ) -> None:
        """Converse over *outlet*; where there is a *gate*, the client's *address* pays there."""
        super().__init__(outlet, counters=counters, options=options)
        self._spot = spot
        self.is_combined = is_combined
        self._gate = gate
        self._address = address
        self._channels: dict[str, bool] = {}
        """Names in the order they came, each with whether there is such a stream."""
        self._heartbeat = Heartbeat(
            says=(_PING,),
            interval_s=options.ping_s,
            grace_s=options.pong_s,
            send=self.notify,
            end=lambda: self.close(POLICY_VIOLATION, "Pong timeout"),
        )

    @property
    def channels(self) -> Collection[str]:
        return self._channels

    def take_pong(self, payload: bytes) -> None:
        if payload == _PAYLOAD:
            self._heartbeat.answered()

    def shutdown_notice(self, closes_in_s: float) -> bytes:  # noqa: ARG002 - this venue tells no time
        told: dict[str, Any] = {"e": "serverShutdown", "E": now_ms()}
        return text_frame(
            orjson.dumps({"stream": SHUTDOWN, "data": told} if self.is_combined else told)
        )

    def tell(self, stream: str, frame: bytes) -> None:
        """Send one update of *stream*."""
        outlet = self._outlet
        if not isinstance(outlet, SpoiledOutlet):
            self.deliver(frame)
            return
        if outlet.is_closing():
            return
        if self._cpu_per_message_us:
            burn_cpu(self._cpu_per_message_us)
        self._counters.deliveries += 1
        outlet.write_update(stream, frame)
        if outlet.get_write_buffer_size() > self._most_waiting_bytes:
            self._evict()

    def receive(self, text: bytes) -> None:
        """Answer one request; its acknowledgement precedes what new subscriptions bring."""
        if self._outlet.is_closing():
            return
        if self._gate is not None and self._gate.ask(self._address, 1) is not None:
            self.close(POLICY_VIOLATION, "Too many requests")
            return
        joining: Sequence[str] = ()
        try:
            request = parsed_stream_request(text)
            if request.method == "SUBSCRIBE":
                joining = stream_names(request)
            answer = {"result": self._result(request), "id": request.id}
        except StreamError as error:
            answer = error.answer
        self._send(text_frame(orjson.dumps(answer)))
        self.follow(joining)

    def follow(self, names: Sequence[str]) -> None:
        """Follow those of *names* that are not followed yet."""
        for name in names:
            if name in self._channels:
                continue
            stream = self._spot.offered(name)
            self._channels[name] = stream is not None
            if stream is not None:
                self._counters.subscriptions += 1
                self._spot.follow(stream, self)

    def release(self) -> None:
        self._leave(list(self._channels))
        self._heartbeat.stop()

    def _result(self, request: StreamRequest) -> Any:
        match request.method:
            case "UNSUBSCRIBE":
                self._leave(stream_names(request))
            case "LIST_SUBSCRIPTIONS":
                if request.params:
                    raise too_many()
                return list(self._channels)
            case "GET_PROPERTY" | "SET_PROPERTY":
                shall_be = property_asked_for(request)
                if shall_be is None:
                    return self.is_combined
                self.is_combined = shall_be
        return None

    def _leave(self, names: Sequence[str]) -> None:
        for name in names:
            if self._channels.pop(name, False):
                self._counters.subscriptions -= 1
                self._spot.leave(name, self)
