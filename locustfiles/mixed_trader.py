"""A client of both kinds: it follows the market and trades on what it sees."""

from capacity.loadgen.client.mixed_trader import MixedTrader as Trader
from capacity.loadgen.plugin import install

install()


class MixedTrader(Trader):
    """Holds a connection for prices and one for its orders, as venues recommend."""

    weight = 1
    by_default = False
