"""The Locust user that trades: it places, amends and cancels orders, and asks for its balance."""

from locust import User, task
from locust.env import Environment

from typing import Any

from capacity.loadgen.client.trader import Tell, Trader
from capacity.loadgen.client.worker import clients_or_leave
from capacity.loadgen.wire.http_connection import ExchangeError


class OrderTrader(User):
    """Trades at the pace that the profile asks for; rests, without a connection, where it asks for none."""

    abstract = True
    host = "http://named-in-the-target-file"
    """Fills Locust's form; a run takes its address from the target file."""
    weight = 0
    # As with pollers: the controller sets the count that the profile needs.
    fixed_count = 1
    rate = "orders_per_s"
    orders_per_s_per_connection = 0.05
    """Where the class is picked and the profile asks for no orders."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._trader: Trader | None = None

    def on_start(self) -> None:
        self._trader = Trader(clients_or_leave(self), teller_of(self.environment))

    def on_stop(self) -> None:
        if self._trader is not None:
            self._trader.leave()

    @task
    def trade(self) -> None:
        """Trade until the stage asks for another rate."""
        assert self._trader is not None
        self._trader.trade()


def teller_of(environment: Environment) -> Tell:
    """Return what shows requests of traders in Locust's own statistics."""

    def tell(way: str, operation: str, took_ms: float, failure: str | None) -> None:
        environment.events.request.fire(
            request_type="ORDER",
            name=f"{operation} ({way})",
            response_time=took_ms,
            response_length=0,
            exception=None if failure is None else ExchangeError(failure),
            context={},
        )

    return tell
