"""Who listens on a port of the target's host, and where such a process passes connections on to.

A published port of a container is held by docker-proxy, that of a service behind nginx by nginx:
neither is the process whose limits are asked for. Looked at when somebody asks, never while sampling, as
it may look at every process. What is not ours to look into is left out.
"""

import ipaddress
import os
from collections import Counter
from collections.abc import Collection
from contextlib import ExitStack, closing
from itertools import pairwise

import psutil

from capacity.domain.sample import Destination, PortHolder
from capacity.monitor.host.discovery import held_sockets
from capacity.monitor.host.network_namespace import (
    inside_namespace,
    is_own_namespace,
    open_socket_table,
)
from capacity.monitor.host.processes import ancestors, name_of, outermost
from capacity.monitor.host.procfs import read_text
from capacity.monitor.host.sock_diag import FAMILIES, SocketTable
from capacity.monitor.host.target import TargetView
from capacity.monitor.host.unix_sockets import unix_sockets
from capacity.monitor.readings import READ_ERRORS

_MOST_DESTINATIONS = 8
_INIT = 1
"""systemd keeps the sockets that it hands over; it serves nobody."""


def port_holders(port: int, target: TargetView) -> tuple[PortHolder, ...]:
    """Return who listens on *port*, in the agent's network namespace or in the target's."""
    host = _Host(target)
    with ExitStack() as stack:
        tables = {pid: stack.enter_context(closing(table)) for pid, table in _tables(target)}
        inodes = {
            entry.inode
            for table in tables.values()
            for entry in table.listeners()
            if entry.port == port
        }
        return tuple(
            PortHolder(
                pid=root,
                name=name_of(root),
                is_watched=not target.stats.keys().isdisjoint(members),
                destinations=host.destinations(members, tables, port),
            )
            for root, members in _families(host.holders(inodes)).items()
        )


def _tables(target: TargetView) -> list[tuple[int, SocketTable]]:
    """Return a process of each namespace in which connections may be accepted, with its sockets."""
    found = [(os.getpid(), SocketTable())]
    try:
        if not is_own_namespace(target.root, target.proc):
            found.append((target.root, open_socket_table(target.root, target.proc)))
    except READ_ERRORS:
        pass  # Its sockets are not ours to see.
    return found


def _families(pids: Collection[int]) -> dict[int, list[int]]:
    """Return the topmost of *pids*, each with itself and those that it started."""
    families: dict[int, list[int]] = {root: [] for root in outermost(pids)}
    for pid in pids:
        root = next((each for each in (pid, *ancestors(pid)) if each in families), None)
        if root is not None:  # Else it ended meanwhile.
            families[root].append(pid)
    return families


class _Host:
    """The sockets of all processes, each looked at once at most."""

    def __init__(self, target: TargetView) -> None:
        self._target = target
        self._sockets: dict[int, set[int]] = {}
        self._namespaces: dict[int, int] | None = None

    def holders(self, inodes: set[int]) -> list[int]:
        """Return the processes that hold one of these sockets, those of the target first."""
        if not inodes:
            return []
        others = [pid for pid in psutil.pids() if pid not in self._target.stats]
        pids = [pid for pid in (*self._target.stats, *others) if pid != os.getpid()]
        holders = [pid for pid in pids if not inodes.isdisjoint(self._sockets_of(pid))]
        return [pid for pid in holders if pid != _INIT] or holders

    def destinations(
        self, pids: Collection[int], tables: dict[int, SocketTable], port: int
    ) -> tuple[Destination, ...]:
        """Return where *pids* connect to."""
        held = set[int]().union(*(self._sockets_of(pid) for pid in pids))
        counts: Counter[tuple[str, int, int]] = Counter()
        paths = self._unix_destinations(held, tables)
        for namespace, table in tables.items():
            for family in FAMILIES:
                counts.update(
                    (_plain(found.address), found.port, namespace)
                    for found in table.connections(family, (port,))
                    if found.inode in held
                )
        found = [
            self._destination(address, number, namespace, connections)
            for (address, number, namespace), connections in counts.most_common(_MOST_DESTINATIONS)
        ]
        return tuple(sorted([*found, *paths], key=lambda to: -to.connections)[:_MOST_DESTINATIONS])

    def _unix_destinations(self, held: set[int], namespaces: Collection[int]) -> list[Destination]:
        """Return where the holders of the sockets *held* connect to by the name of a socket."""
        found: list[Destination] = []
        for namespace in namespaces:
            try:
                with inside_namespace(namespace, self._target.proc):
                    sockets = unix_sockets()
            except READ_ERRORS:
                continue  # It ended, or its sockets are not ours to see.
            peers = (sockets.get(sockets[inode].peer or 0) for inode in held & sockets.keys())
            names = Counter(peer.name for peer in peers if peer is not None and peer.name)
            for name, connections in names.most_common(_MOST_DESTINATIONS):
                if name is None:
                    continue
                listening = {
                    inode
                    for inode, each in sockets.items()
                    if each.is_listening and each.name == name
                }
                pid = self._first_of(self.holders(listening))
                found.append(self._at(f"unix:{name}", 0, pid, connections))
        return found

    def _destination(
        self, address: str, port: int, namespace: int, connections: int
    ) -> Destination:
        return self._at(address, port, self._listener(address, port, namespace), connections)

    def _at(self, address: str, port: int, pid: int | None, connections: int) -> Destination:
        return Destination(
            address=address,
            port=port,
            connections=connections,
            pid=pid,
            name=None if pid is None else name_of(pid),
            is_watched=pid in self._target.stats,
        )

    def _listener(self, address: str, port: int, namespace: int) -> int | None:
        """Return who listens there, in whichever network namespace has the address."""
        is_loopback = ipaddress.ip_address(address).is_loopback
        for pid in (namespace,) if is_loopback else self._one_of_each_namespace():
            try:
                if not is_loopback and not _has_address(pid, address):
                    continue
                with closing(open_socket_table(pid)) as table:
                    inodes = {
                        entry.inode
                        for entry in table.listeners()
                        if entry.port == port and _is_at(entry.address, address)
                    }
            except READ_ERRORS:
                continue  # It ended, or it is not ours to look into.
            holders = self.holders(inodes)
            if holders:
                return self._first_of(holders)
        return None

    def _first_of(self, holders: list[int]) -> int | None:
        if not holders or holders[0] in self._target.stats:
            return next(iter(holders), None)
        return min(outermost(holders))

    def _one_of_each_namespace(self) -> Collection[int]:
        if self._namespaces is None:
            self._namespaces = {}
            for pid in (os.getpid(), self._target.root, *psutil.pids()):
                try:
                    inode = os.stat(f"/proc/{pid}/net/tcp").st_ino  # noqa: PTH116 - as in network_namespace
                except OSError:
                    continue
                self._namespaces.setdefault(inode, pid)
        return self._namespaces.values()

    def _sockets_of(self, pid: int) -> set[int]:
        if pid not in self._sockets:
            try:
                self._sockets[pid] = held_sockets(pid)
            except OSError:
                self._sockets[pid] = set()  # As above.
        return self._sockets[pid]


def _has_address(pid: int, address: str) -> bool:
    """Return whether *address* is one of the network namespace that *pid* lives in.

    An entry of fib_trie (Linux, net/ipv4/fib_trie.c) is an address, and below it what it is.
    """
    number = ipaddress.ip_address(address)
    if number.version == 6:
        return number.packed.hex() in read_text(f"/proc/{pid}/net/if_inet6").split()
    lines = read_text(f"/proc/{pid}/net/fib_trie").splitlines()
    return any(
        line.split()[-1:] == [address] and "host LOCAL" in below for line, below in pairwise(lines)
    )


def _is_at(listening: str, address: str) -> bool:
    place = _plain(listening)
    return ipaddress.ip_address(place).is_unspecified or place == address


def _plain(address: str) -> str:
    """Return an IPv4 address as such, also where a socket for both families has it."""
    number = ipaddress.ip_address(address)
    mapped = number.ipv4_mapped if isinstance(number, ipaddress.IPv6Address) else None
    return str(mapped or number)
