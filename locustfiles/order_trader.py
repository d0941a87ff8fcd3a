"""A trader: places, amends and cancels orders by REST and WebSocket, and looks at its balance."""

from capacity.loadgen.client.order_trader import OrderTrader as Trader
from capacity.loadgen.plugin import install

install()


class OrderTrader(Trader):
    """Trades as often as orders_per_s_per_connection of the profile says; latency from the intent."""

    weight = 0
    fixed_count = 1
