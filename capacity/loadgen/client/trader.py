"""One simulated trader: its cycle of requests, its way to the target, what became of each."""

import time
from collections.abc import Callable
from typing import Any

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.order_ways import Asked, RestWay, Way, WebSocketWay
from capacity.loadgen.client.steady_pace import Part, pace_or_rest
from capacity.loadgen.wire.connection_values import moment
from capacity.workload.dialects.redaction import redacted_words
from capacity.workload.order_cycle import OPERATIONS, OrderCycle, Outcome

Tell = Callable[[str, str, float, str | None], None]
"""Is told each request's way, operation, response time in ms and failure, for Locust's statistics."""
REFUSED = "order_refused"
"""What a request is counted under that the target said no to."""


class Trader:
    """Places, amends and cancels orders at the pace of the stage, and asks for its balance."""

    def __init__(self, clients: Clients, tell: Tell) -> None:
        self._clients, self._tell = clients, tell
        self._number = clients.next_trader()
        self._cycle = OrderCycle()
        self._kept: dict[str, Any] = {}
        self._way: Way | None = None
        if clients.target.orders is not None:
            over, timeout_s = clients.target.orders.over, clients.target.orders.answer_timeout_s
            if over[self._number % len(over)] == "rest":
                self._way = RestWay(clients, timeout_s)
            else:
                self._way = WebSocketWay(clients, self._number, timeout_s)
        clients.traders.append(self)

    def trade(self) -> None:
        """Trade until the stage asks for another rate; rest for a while if it asks for none."""
        clients = self._clients
        part = Part(
            clients=clients,
            rate_per_s=lambda: clients.stage.orders_per_s,
            members=clients.traders,
            pace=lambda: clients.order_pace(self),
            act=self._act,
            dropped="order_dropped",
        )
        pace_or_rest(part, self._hang_up)

    def leave(self) -> None:
        self._clients.traders.remove(self)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._way is not None:
            self._way.close()

    def _act(self, intended_s: float) -> float:
        """Make the request that is due. Its latency counts from when it should have begun."""
        assert self._way is not None
        clients, operation, started_s = self._clients, self._cycle.operation, time.monotonic()
        asked = self._way.ask(operation, self._values())
        now_s = time.monotonic()
        outcome = asked.told.outcome
        has_answer = outcome in (Outcome.ANSWERED, Outcome.REFUSED)
        latency_us = (now_s - intended_s) * 1e6 if has_answer else None
        clients.counters.note_order(f"{operation}_{self._way.name}", outcome, latency_us)
        failure = self._failure(asked)
        self._cycle.note(outcome)
        self._kept.update(asked.told.kept)
        self._tell(self._way.name, operation, (now_s - started_s) * 1e3, failure)
        return 0.0

    def _failure(self, asked: Asked) -> str | None:
        """Count a request that was not answered with yes; return what it is counted under."""
        told = asked.told
        if told.outcome is Outcome.ANSWERED:
            return None
        failure = asked.failure or (
            REFUSED if told.outcome is Outcome.REFUSED else "order_unknown_answer"
        )
        self._clients.counters.fail(failure)
        if asked.failure is None:
            known = {**self._clients.order_values, **self._kept}
            reason = redacted_words(str(told.reason), known)
            self._clients.counters.note_said(f"{self._cycle.operation}: {reason}")
        return failure

    def _values(self) -> dict[str, Any]:
        clients = self._clients
        symbols = clients.target.symbols or ("",)
        return {
            **clients.order_values,
            **self._kept,
            "connection": self._number,
            "symbol": symbols[self._number // len(OPERATIONS) % len(symbols)],
            **moment(),
            "id": 1,
        }
