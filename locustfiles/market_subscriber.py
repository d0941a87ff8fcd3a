"""A market-data client: a persistent WebSocket that follows prices and order books."""

from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.plugin import install

install()


class MarketSubscriber(Subscriber):
    """Connects, subscribes, stays; comes back with a random delay when it is dropped."""

    weight = 1
