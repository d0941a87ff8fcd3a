"""All long-lived connections of one process, read by one epoll set nested in gevent's loop.

An epoll descriptor is itself pollable: gevent's loop watches this one descriptor and calls back to
drain it, so nothing on the way may block. A user's greenlet sleeps until its connection is lost; a
message wakes no greenlet at all. The work of a turn is bounded, so that timers and Locust's
heartbeat are served under overload.

As network drivers do (NAPI), the set is woken by the first arrival after a silence and polled once
a millisecond while messages come: below saturation most of a message's cost is the wake-up.
"""

import os
import select
import ssl
from collections.abc import Callable, Sequence
from typing import Any

import gevent
from gevent import monkey

from capacity.loadgen.wire.compression import Deflate, Inflater
from capacity.loadgen.wire.connection import BYTES_PER_READ, Connection, Listener
from capacity.loadgen.wire.frames import FrameReader
from capacity.loadgen.wire.memory_budget import MemoryBudget
from capacity.loadgen.wire.streams.readers import Reader

READY_PER_TURN = 256
READS_PER_TURN = 4
"""Further reads of one socket in a turn, while it keeps filling the buffer (large snapshots)."""
MANY_MESSAGES = 256
"""Of one read: so many messages of a few bytes each take long to look at, and others wait; its turn ends."""
TURN_INTERVAL_S = 0.001
"""What the loop's clock resolves. Adds half of it to a busy connection's delays, on average."""
STAMP_EVERY = 16
"""One connection in so many tells when the kernel received what it reads."""
QUIET_TURNS = 3
_READABLE = 1

# gevent removes epoll from the patched module, because waiting on it would block; we only poll.
_epoll = monkey.get_original("select", "epoll")


class ConnectionSet:
    """The epoll set, its connections by descriptor, and the watcher that drains it."""

    def __init__(self, budget: MemoryBudget | None = None, *, waits_for_turns: bool = True) -> None:
        """Poll on the clock while messages come; else every arrival wakes, which answers to orders do."""
        self._waits_for_turns = waits_for_turns
        self._budget = budget or MemoryBudget()
        self._epoll = _epoll()
        self._by_fd: dict[int, Connection] = {}
        self._write_watched: set[int] = set()
        self._slowly_read: set[int] = set()
        loop = gevent.get_hub().loop
        self._arrival = loop.io(self._epoll.fileno(), _READABLE)
        self._tick = loop.timer(TURN_INTERVAL_S, TURN_INTERVAL_S)
        self._quiet_turns = 0
        self._added = 0
        self.entering = 0
        """Connections of it that wait for what the target says to their login."""
        self._arrival.start(self._wake)

    def __len__(self) -> int:
        return len(self._by_fd)

    @property
    def entered(self) -> int:
        """Count of the connections that the target has let in."""
        return max(0, len(self) - self.entering)

    def add(
        self,
        sock: Any,
        listener: Listener,
        max_message_bytes: int,
        compression: Deflate | None = None,
        reader: Reader | None = None,
    ) -> Connection:
        """Take over a connected socket; its messages go to *listener* from now on.

        It is a WebSocket where no *reader* says otherwise.
        """
        sock.settimeout(0)
        if reader is None:
            inflater = Inflater(compression) if compression is not None else None
            reader = FrameReader(max_message_bytes, inflater)
        connection = Connection(self, sock, listener, reader)
        self._by_fd[connection.fd] = connection
        if self._added % STAMP_EVERY == 0:
            connection.ask_for_stamps()
        self._added += 1
        self._epoll.register(connection.fd, select.EPOLLIN)
        if connection.is_tls and sock.pending():
            # Decrypted bytes wake no epoll; later, because the listener does not have us yet.
            gevent.get_hub().loop.run_callback(self._read, connection)
        return connection

    def watch_writable(self, connection: Connection, *, wanted: bool) -> None:
        if connection.fd < 0 or wanted == (connection.fd in self._write_watched):
            return
        if wanted:
            self._write_watched.add(connection.fd)
        else:
            self._write_watched.discard(connection.fd)
        self._watch(connection.fd)

    def slow_down(self, connection: Connection) -> None:
        """Leave what a connection receives in its socket, but for what `read_slice` takes and its end."""
        if connection.fd >= 0:
            self._slowly_read.add(connection.fd)
            self._watch(connection.fd)

    def speed_up(self, connection: Connection) -> None:
        """Read a connection as its messages come again."""
        if connection.fd in self._slowly_read:
            self._slowly_read.discard(connection.fd)
            self._watch(connection.fd)
            gevent.get_hub().loop.run_callback(self.read_slice, connection)  # TLS, as above.

    def read_slice(self, connection: Connection) -> None:
        """Read BYTES_PER_READ of a connection at most."""
        if connection.fd >= 0:
            self._read(connection, reads=1)

    def _watch(self, fd: int) -> None:
        arriving = select.EPOLLRDHUP if fd in self._slowly_read else select.EPOLLIN
        self._epoll.modify(fd, arriving | (select.EPOLLOUT if fd in self._write_watched else 0))

    def lose(self, connection: Connection, reason: str) -> None:
        """Drop a connection that ended against our will, and tell its listener."""
        if connection.fd >= 0:
            self.forget(connection)
            connection.listener.on_lost(connection, reason)

    def hear_and_lose(self, connection: Connection) -> None:
        """Drop a connection that takes nothing more, once it is read why: a goodbye may be there."""
        if connection.fd >= 0:
            self._read(connection)
        self.lose(connection, "connection_reset")

    def weigh(self, connection: Connection) -> None:
        """Have what a connection holds counted against the budget."""
        held_bytes = connection.held_bytes if connection.fd >= 0 else 0
        connection.is_heavy = held_bytes > 0
        self._budget.weigh(connection, held_bytes)

    def forget(self, connection: Connection) -> None:
        if connection.is_heavy:
            connection.is_heavy = False
            self._budget.weigh(connection, 0)
        del self._by_fd[connection.fd]
        self._write_watched.discard(connection.fd)
        self._slowly_read.discard(connection.fd)
        self._epoll.unregister(connection.fd)
        connection.release()

    def close(self) -> None:
        """Close every connection and stop reading."""
        for watcher in (self._arrival, self._tick):
            watcher.stop()
            watcher.close()
        for connection in list(self._by_fd.values()):
            connection.close()
        self._epoll.close()

    def _wake(self) -> None:
        """Serve what arrived after a silence, and look again on the clock."""
        if not self._waits_for_turns:
            self._serve()
            return
        self._arrival.stop()
        self._quiet_turns = 0
        self._tick.again(self._turn)
        self._serve()

    def _turn(self) -> None:
        """Serve what came since the last turn."""
        served = self._serve()
        self._quiet_turns = 0 if served else self._quiet_turns + 1
        if served == READY_PER_TURN or self._quiet_turns == QUIET_TURNS:
            # More than a turn's worth, to be served right after the loop's timers; or silence.
            self._tick.stop()
            self._arrival.start(self._wake)

    def serve_all(self) -> None:
        """Serve what is ready now, every connection about once: as much as a turn of each."""
        for _ in range(0, len(self), READY_PER_TURN):
            if self._serve() < READY_PER_TURN:
                break

    def _serve(self) -> int:
        """Read what is ready now, at most a turn's worth; return how many connections were."""
        ready = self._epoll.poll(0, READY_PER_TURN)
        for fd, events in ready:
            connection = self._by_fd.get(fd)
            if connection is None:
                continue  # Closed by a listener earlier in this turn.
            if events & select.EPOLLOUT:
                connection.flush()
            if events & ~select.EPOLLOUT and connection.fd >= 0:
                self._read(connection)
        return len(ready)

    def _read(self, connection: Connection, reads: int = READS_PER_TURN) -> None:
        """Read a connection until it has nothing more, or a turn's worth."""
        fd, reader, listener = connection.fd, connection.reader, connection.listener
        replies: list[bytes] = []
        for _ in range(reads):
            try:
                data = (
                    os.read(fd, BYTES_PER_READ) if connection.socket is None else connection.read()
                )
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError:
                self.lose(connection, "connection_reset")
                return
            if not data:
                self.lose(connection, "connection_ended")
                return
            payloads = reader.feed(data, replies)
            if payloads:
                listener.on_messages(connection, payloads)
            is_emptied = len(data) < BYTES_PER_READ
            is_flood = len(payloads) >= MANY_MESSAGES
            if is_emptied or is_flood or connection.fd < 0 or reader.end is not None:
                break
        if replies:
            connection.send_frame(b"".join(replies))
        if connection.fd >= 0 and (connection.is_heavy or reader.held_bytes):
            self.weigh(connection)
        if reader.end is not None:
            self.lose(connection, reader.end)


def spread(action: Callable[[Any], None], items: Sequence[Any], per_s: float) -> None:
    """Call *action* for each item, evenly at *per_s*, without starving the loop."""
    pause_s = 0.02
    batch = max(1, int(per_s * pause_s))
    for start in range(0, len(items), batch):
        for item in items[start : start + batch]:
            action(item)
        gevent.sleep(batch / per_s)
