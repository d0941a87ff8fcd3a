"""Keeps the pollers' keep-alive connections in processes with more than 1,024 descriptors.

geventhttpclient (2.6) tells with select(2) whether an idle connection is still good. select knows
no descriptor above 1,023: there every connection counts as dead and each poll opens a new one,
which a process full of subscribers would measure as the target's cost of a request.
"""

import select
from typing import Any

from gevent import monkey
from geventhttpclient.connectionpool import ConnectionPool

# gevent removes poll from the patched module when it cannot wait on it; we never wait.
_poll = monkey.get_original("select", "poll")


def keep_high_descriptors() -> None:
    """Have geventhttpclient ask with poll(2) instead."""
    # There is no public hook.
    setattr(ConnectionPool, "_is_socket_alive", _is_socket_alive)  # noqa: B010 - typed as fixed


def _is_socket_alive(_pool: ConnectionPool, sock: Any) -> bool:
    """Return whether an idle connection is open and silent; readable means closed or dirty."""
    if sock is None or sock.fileno() < 0:
        return False
    poll = _poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)
