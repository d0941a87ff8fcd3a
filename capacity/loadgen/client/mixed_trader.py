"""The Locust user that follows channels and trades: a subscriber with a trader's connection beside."""

from typing import Any

import gevent

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.order_trader import teller_of
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.trader import Trader


class MixedTrader(Subscriber):
    """Trades from the moment on that it has begun to subscribe."""

    abstract = True
    trades = True
    orders_per_s_per_connection = 0.05
    """Where the profile asks for no orders."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._trader: Trader | None = None
        self._trading: gevent.Greenlet | None = None

    def stop(self, force: bool = False) -> bool:  # noqa: FBT001, FBT002 - Locust's signature
        """Leave now, an order under way or not."""
        if self._trading is not None:
            self._trading.kill()
        if self._trader is not None:
            self._trader.leave()
        return super().stop(force)

    def _join(self) -> Clients | None:
        clients = super()._join()
        if clients is not None:
            self._trader = Trader(clients, teller_of(self.environment))
            self._trading = gevent.spawn(self._trade, clients, self._trader)
        return clients

    @staticmethod
    def _trade(clients: Clients, trader: Trader) -> None:
        while not clients.is_over:
            trader.trade()
