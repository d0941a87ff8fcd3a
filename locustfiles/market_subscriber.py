"""A market-data client: a persistent WebSocket that follows prices and order books."""

from capacity.loadgen.plugin import install
from capacity.loadgen.subscriber import Subscriber

install()


class MarketSubscriber(Subscriber):
    """Connects, subscribes, stays; comes back with a random delay when it is dropped."""

    weight = 1
