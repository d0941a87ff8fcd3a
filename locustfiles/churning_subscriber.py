"""A client that comes and goes: its connection lives for a while, then it is opened anew."""

from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.plugin import install

install()


class ChurningSubscriber(Subscriber):
    """Is replaced once a minute while a step is held: what handshakes cost beside what is followed."""

    weight = 1
    by_default = False
    churn_per_s = 1 / 60
