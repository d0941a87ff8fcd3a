"""The sockets that the target listens on, told from others' by who holds their inodes.

The kernel lists listeners in microseconds; whose they are costs a look at the target's
descriptors, which is taken only when a listener turns up that was not there before.
"""

import time
from collections.abc import Collection, Mapping

from capacity.monitor.host.discovery import held_sockets
from capacity.monitor.host.network_namespace import open_socket_table
from capacity.monitor.host.sock_diag import FAMILIES, Listener, Outgoing, SocketTable
from capacity.monitor.host.target import TargetView
from capacity.monitor.pace import Pace

_SCAN_COST_RATIO = 0.001
"""Looking through the descriptors may take this share of a core."""
_SEARCH_S = 2.0
_MOST_PAIRS = 10_000
"""Whose owners are remembered, also while no connection is open."""


class TargetListeners:
    """Follows the listeners of one target through restarts."""

    def __init__(self) -> None:
        self.latest: list[Listener] = []
        """The target's listeners at the last reading."""
        self.ports: tuple[int, ...] | None = None
        """Where they listen; None as long as that could not be read."""
        self._table: SocketTable | None = None
        self._target_started_at: float | None = None
        self._pids: frozenset[int] = frozenset()
        self._is_ours: dict[int, bool] = {}
        self._scan_at_s = 0.0

    @property
    def is_loopback_only(self) -> bool:
        """Whether the target listens, but on no address that another host could reach."""
        return bool(self.latest) and all(listener.is_loopback for listener in self.latest)

    def close(self) -> None:
        if self._table is not None:
            self._table.close()
            self._table = None

    def table(self, target: TargetView) -> SocketTable:
        """Return the sockets of the target's network namespace; it may change with a restart."""
        if self._table is None or self._target_started_at != target.started_at:
            self.close()
            self._is_ours, self._scan_at_s = {}, 0.0
            self._table = open_socket_table(target.root, target.proc)
            self._target_started_at = target.started_at
        return self._table

    def read(self, target: TargetView) -> list[Listener]:
        """Return the target's listeners; PermissionError where none of its descriptors show."""
        listeners = self.table(target).listeners()
        present = {listener.inode for listener in listeners}
        self._is_ours = {key: value for key, value in self._is_ours.items() if key in present}
        if (pids := frozenset(target.stats)) != self._pids:
            # A listener that was nobody's we knew may belong to a process found since.
            self._is_ours = {key: True for key, value in self._is_ours.items() if value}
            self._pids = pids
        strangers = present - self._is_ours.keys()
        now_s = time.monotonic()
        if strangers and now_s >= self._scan_at_s:
            began_s = time.thread_time()
            held = held_by(target)
            self._is_ours.update({inode: inode in held for inode in strangers})
            self._scan_at_s = now_s + (time.thread_time() - began_s) / _SCAN_COST_RATIO
        self.latest = [entry for entry in listeners if self._is_ours.get(entry.inode)]
        self.ports = tuple(sorted({entry.port for entry in self.latest}))
        return self.latest


class PairOwners:
    """Which pairs of a local address and a destination the target's own connections have.

    Whose a pair is tells one of its connections. That costs a look at the target's descriptors, so it is
    looked up for new pairs only, and paced.
    """

    def __init__(self) -> None:
        self._search = Pace(_SEARCH_S, _SCAN_COST_RATIO)
        self._is_ours: dict[bytes, bool] = {}

    def of(self, target: TargetView, pairs: Mapping[bytes, Outgoing]) -> Mapping[bytes, bool]:
        """Return of each pair whose owner is known whether it is the target."""
        if len(self._is_ours) > _MOST_PAIRS:
            self._is_ours = {pair: ours for pair, ours in self._is_ours.items() if pair in pairs}
        # What is closed has no owner any more.
        new = {pair for pair, found in pairs.items() if found.inode} - self._is_ours.keys()
        if new and self._search.is_due:
            with self._search.reading():
                held = held_by(target)
            self._is_ours |= {pair: pairs[pair].inode in held for pair in new}
        return self._is_ours


class InnerConnections:
    """Counts the connections between processes of the target: of a relay to what stands behind it."""

    def __init__(self) -> None:
        self._owners = PairOwners()

    def count(
        self, target: TargetView, table: SocketTable, listeners: Collection[Listener]
    ) -> int | None:
        """Return how many the target's *listeners* accepted from itself; None while it is not known whose."""
        if len({listener.port for listener in listeners}) < 2:
            return 0  # Nothing is passed on from a port to itself.
        pairs: dict[bytes, Outgoing] = {}
        ports = {entry.port for entry in listeners}
        for family in FAMILIES:
            pairs |= table.dialled_here(family, ports)
        is_ours = self._owners.of(target, pairs)
        if any(found.inode and pair not in is_ours for pair, found in pairs.items()):
            return None
        return sum(found.connections for pair, found in pairs.items() if is_ours.get(pair))


def held_by(target: TargetView) -> set[int]:
    """Return the inodes of the target's sockets; PermissionError where no process shows any."""
    held: set[int] = set()
    trouble: PermissionError | None = None
    shown = 0
    for pid in target.stats:
        try:
            held |= held_sockets(pid, target.proc)
            shown += 1
        except PermissionError as error:
            trouble = error
        except (FileNotFoundError, ProcessLookupError):
            continue
    if trouble is not None and not shown:
        raise trouble
    return held
