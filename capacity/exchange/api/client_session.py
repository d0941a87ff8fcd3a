"""One WebSocket connection in Deribit's dialect: its requests, its subscriptions, its heartbeat."""

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
from capacity.exchange.frames import Outlet, text_frame
from capacity.exchange.market.publisher import Publisher
from capacity.exchange.options import ExchangeOptions
from capacity.exchange.peer import POLICY_VIOLATION, Peer
from capacity.exchange.planned_shutdown import notice
from capacity.exchange.venue import Venue

HEARTBEAT_CLOSE = 4000


class Session(Peer):
    __slots__ = (
        "_address",
        "_banned",
        "_channels",
        "_gate",
        "_heartbeat",
        "_joining",
        "_publisher",
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
        super().__init__(outlet, counters=counters, options=options)
        self._venue = venue
        self._publisher = publisher
        self._gate = gate
        self._address = address
        self._banned: Refusal | None = None
        self._channels: dict[str, str] = {}
        """Names, each with the account that it is of; those of the market are of none."""
        self._joining: tuple[str, ...] = ()
        self._heartbeat: Heartbeat | None = None
        self.client_id: str | None = None

    @property
    def channels(self) -> Collection[str]:
        return self._channels

    def shutdown_notice(self, closes_in_s: float) -> bytes:
        return notice(closes_in_s)

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

    def release(self) -> None:
        self._leave(list(self._channels))
        self._stop_heartbeat()

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
