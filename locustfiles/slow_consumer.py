"""A client that reads more slowly than the target publishes, as from a poor line."""

from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.plugin import install

install()


class SlowConsumer(Subscriber):
    """Reads slow_read_bytes_per_s of the profile; the target keeps the rest, or drops it."""

    weight = 1
    by_default = False
    reads_slowly = True
