"""How the pollers' connections are kept in a process full of subscribers, and where they leave from.

geventhttpclient (2.6) tells with select(2) whether an idle connection is still good. select knows
no descriptor above 1,023: there every connection counts as dead and each poll opens a new one,
which a process full of subscribers would measure as the target's cost of a request.
"""

import select
from collections.abc import Iterator
from typing import Any

from gevent import monkey
from gevent import socket as gevent_socket
from geventhttpclient.connectionpool import ConnectionPool

from capacity.loadgen.source_addresses import leave_from

# gevent removes poll from the patched module when it cannot wait on it; we never wait.
_poll = monkey.get_original("select", "poll")


def keep_high_descriptors() -> None:
    """Have geventhttpclient ask with poll(2) instead."""
    # There is no public hook.
    setattr(ConnectionPool, "_is_socket_alive", _is_socket_alive)  # noqa: B010 - typed as fixed


def open_from(sources: Iterator[str | None]) -> None:
    """Have every connection opened from now on leave from the next of *sources*."""

    def create(_pool: ConnectionPool, family: int, kind: int, protocol: int) -> Any:
        sock = gevent_socket.socket(family, kind, protocol)
        source = next(sources)
        if source is None:
            return sock
        try:
            leave_from(sock, source)
        except OSError:
            sock.close()
            raise
        return sock

    setattr(ConnectionPool, "_create_tcp_socket", create)  # noqa: B010 - as above


def _is_socket_alive(_pool: ConnectionPool, sock: Any) -> bool:
    """Return whether an idle connection is open and silent; readable means closed or dirty."""
    if sock is None or sock.fileno() < 0:
        return False
    poll = _poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)
