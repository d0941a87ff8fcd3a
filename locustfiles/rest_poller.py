"""A client that asks for snapshots by REST, again and again, at a constant pace."""

from capacity.loadgen.client.poller import Poller
from capacity.loadgen.plugin import install

install()


class RestPoller(Poller):
    """Polls the operation that the target file names; its number follows from the profile."""

    weight = 0
    fixed_count = 1
