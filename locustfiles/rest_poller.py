"""A client that asks for snapshots by REST, again and again, at a constant pace."""

from capacity.loadgen.plugin import install
from capacity.loadgen.poller import Poller

install()


class RestPoller(Poller):
    """Polls the operation that the target file names; its number follows from the profile."""

    weight = 0
    fixed_count = 1
