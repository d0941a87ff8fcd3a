"""Counting TCP sockets through NETLINK_SOCK_DIAG (sock_diag(7)), without root and without /proc.

The kernel filters by state and, with a program of INET_DIAG operations, by local port, so that
only the sockets asked for cross into this process. A dual-stack listener's connections belong to
AF_INET6 even when the peer speaks IPv4: each family is asked for by itself.
"""

import socket
import struct
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from capacity.monitor.host.port_reuse import PortReuse
from capacity.monitor.host.socket_filters import (
    LOCAL_PORT_IS,
    REMOTE_PORT_IS,
    no_port_filter,
    port_filter,
)
from capacity.monitor.host.socket_messages import (
    BY_FAMILY,
    HEADER,
    SOCKET,
    attribute_at,
    count,
    end_of_sockets,
    raise_for_error,
    starts,
)

_NETLINK_SOCK_DIAG = 4
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_ESTABLISHED, _LISTEN = 1, 10
_TIME_WAIT = 6
_SYN_SENT, _FIN_WAIT1, _FIN_WAIT2, _CLOSE_WAIT, _LAST_ACK, _CLOSING = 2, 4, 5, 8, 9, 11
_CONNECTED = (
    _ESTABLISHED, _SYN_SENT, _FIN_WAIT1, _FIN_WAIT2, _CLOSE_WAIT, _LAST_ACK, _CLOSING,
)  # fmt: skip
"""All in which a socket keeps its port, but TIME_WAIT, which is looked at by itself, and
SYN_RECEIVED, which no outgoing one is in."""
_REQ_BYTECODE = 1
_MEMINFO_WANTED, _MEMINFO, _MEMINFO_DROPS = 1 << 6, 7, 8
"""INET_DIAG_SKMEMINFO as a bit of idiag_ext and as an attribute; SK_MEMINFO_DROPS in it."""
_INFO_WANTED, _INFO = 1 << 1, 2
"""INET_DIAG_INFO likewise: struct tcp_info (linux/tcp.h), which only ever grew at its end."""
_INFO_RETRANSMITS_AT, _INFO_SEGMENTS_AT = 100, 136
"""tcpi_total_retrans, and tcpi_segs_out of Linux 4.2 and later, 32 bits each."""

_REQUEST = struct.Struct("=BBBxI48x")
"""inet_diag_req_v2: family, protocol, extensions, states; a socket's own id is left empty."""
_COUNT = struct.Struct("=I")
_PAIR = slice(HEADER.size + 6, HEADER.size + 40)
"""Remote port, local and remote address, as they lie in a message."""
_LOCAL, _REMOTE = slice(2, 18), slice(18, 34)
"""The addresses in such a pair."""
_INODE = struct.Struct("=I")
_INODE_AT = HEADER.size + SOCKET.size - _INODE.size
_STATE_AT = HEADER.size + 1
_EXPIRY_AT = HEADER.size + 52
"""In milliseconds."""
_RECEIVE_BYTES = 1 << 16
_TIMEOUT_S = 5.0

FAMILIES = (socket.AF_INET, socket.AF_INET6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A socket in LISTEN: where it listens and how full its accept queue is."""

    family: int
    address: str
    port: int
    inode: int
    accept_queue: int
    accept_queue_limit: int
    """The smaller of listen(2)'s backlog and net.core.somaxconn."""
    drops: int | None = None
    """Connects that it dropped, its queue full above all; None where the kernel does not tell."""

    @property
    def is_loopback(self) -> bool:
        return self.address.startswith("127.") or self.address == "::1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Connections from one local address to one destination."""

    connections: int
    closed: int
    """Of its own closed connections, those whose port is still taken (TIME_WAIT)."""
    inode: int
    """Of one of their sockets; 0 if nobody holds any."""
    port: int = 0
    is_here: bool = False
    """Who dials an address of its own host has that address too, unless it asks for another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One end of a connection: whose socket it is, and what is at the other end."""

    inode: int
    address: str
    port: int


class SocketTable:
    """The TCP sockets of the network namespace in which this object was made."""

    def __init__(self) -> None:
        self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)
        self._netlink.settimeout(_TIMEOUT_S)
        self._sequence = 0

    def close(self) -> None:
        self._netlink.close()

    def listeners(self) -> list[Listener]:
        return [
            _listener(message, start)
            for family in FAMILIES
            for message in self._dump(family, (_LISTEN,), b"", _MEMINFO_WANTED)
            for start in starts(message)
        ]

    def established(self, family: int, ports: Collection[int]) -> int:
        """Count the established connections whose local port is one of *ports*."""
        if not ports:
            return 0
        program = port_filter(ports)
        return sum(count(message) for message in self._dump(family, (_ESTABLISHED,), program))

    def sent(self, family: int, ports: Collection[int]) -> tuple[int, int]:
        """Return the segments that connections whose local port is one of *ports* have sent, and
        how many of them again, since each was opened.
        """
        if not ports:
            return 0, 0
        segments = retransmits = 0
        program = port_filter(ports)
        for part in self._dump(family, (_ESTABLISHED,), program, _INFO_WANTED):
            for start in starts(part):
                place = attribute_at(part, start, _INFO, _INFO_SEGMENTS_AT + 4)
                if place is not None:
                    (again,) = _COUNT.unpack_from(part, place + _INFO_RETRANSMITS_AT)
                    (sent,) = _COUNT.unpack_from(part, place + _INFO_SEGMENTS_AT)
                    retransmits, segments = retransmits + again, segments + sent
        return segments, retransmits

    def outgoing(
        self, family: int, listening: Collection[int], reuse: PortReuse
    ) -> dict[bytes, Outgoing]:
        """Count the connections of each pair of a local address and a destination.

        *listening* are ports at which connections were accepted, so that none of them counts: those of
        the target's listeners.
        """
        program = no_port_filter(listening, (LOCAL_PORT_IS,))
        counts: Counter[bytes] = Counter()
        closed: Counter[bytes] = Counter()
        inodes: dict[bytes, int] = {}
        for part in self._dump(family, (*_CONNECTED, _TIME_WAIT), program):
            for start in starts(part):
                pair = part[start + _PAIR.start : start + _PAIR.stop]
                if part[start + _STATE_AT] == _TIME_WAIT:
                    (left_ms,) = _COUNT.unpack_from(part, start + _EXPIRY_AT)
                    closed[pair] += reuse.is_taken(pair[_LOCAL], left_ms / 1000)
                    continue
                counts[pair] += 1
                (inode,) = _INODE.unpack_from(part, start + _INODE_AT)
                inodes[pair] = inode or inodes.get(pair, 0)
        return {
            pair: _outgoing(pair, counts[pair], closed[pair], inodes.get(pair, 0))
            for pair in counts.keys() | closed.keys()
        }

    def dialled_here(self, family: int, ports: Collection[int]) -> dict[bytes, Outgoing]:
        """Count the established connections to *ports* of this host, by pair, at the ends that dialled."""
        if not ports:
            return {}
        counts: Counter[bytes] = Counter()
        inodes: dict[bytes, int] = {}
        for part in self._dump(family, (_ESTABLISHED,), port_filter(ports, REMOTE_PORT_IS)):
            for start in starts(part):
                pair = part[start + _PAIR.start : start + _PAIR.stop]
                counts[pair] += 1
                (inode,) = _INODE.unpack_from(part, start + _INODE_AT)
                inodes[pair] = inode or inodes.get(pair, 0)
        found = {pair: _outgoing(pair, counts[pair], 0, inodes[pair]) for pair in counts}
        return {pair: each for pair, each in found.items() if each.is_here}

    def connections(self, family: int, listening: Collection[int]) -> Iterator[Connection]:
        """Yield the connections that were not accepted on one of the *listening* ports."""
        program = no_port_filter(listening, (LOCAL_PORT_IS,))
        for part in self._dump(family, _CONNECTED, program):
            for start in starts(part):
                fields = SOCKET.unpack_from(part, start + HEADER.size)
                remote = fields[7][:4] if family == socket.AF_INET else fields[7]
                yield Connection(
                    inode=fields[15],
                    address=socket.inet_ntop(family, remote),
                    port=int.from_bytes(fields[5], "big"),
                )

    def _dump(
        self, family: int, states: Collection[int], program: bytes, wanted: int = 0
    ) -> Iterator[bytes]:
        """Yield the parts of the kernel's answer; each holds whole messages about sockets."""
        self._sequence += 1
        mask = sum(1 << state for state in states)
        body = _REQUEST.pack(family, socket.IPPROTO_TCP, wanted, mask)
        if program:
            body += struct.pack("=HH", 4 + len(program), _REQ_BYTECODE) + program
        flags = _NLM_F_REQUEST | _NLM_F_DUMP
        head = HEADER.pack(HEADER.size + len(body), BY_FAMILY, flags, self._sequence, 0)
        self._netlink.send(head + body)
        while True:
            part = self._netlink.recv(_RECEIVE_BYTES)
            _, _, _, sequence, _ = HEADER.unpack_from(part)
            if sequence != self._sequence:
                continue  # The rest of an answer whose reading was cut short by an error.
            end = end_of_sockets(part)
            if end:
                yield part[:end]
            if end < len(part):
                raise_for_error(part, end)
                return


def _outgoing(pair: bytes, connections: int, closed: int, inode: int) -> Outgoing:
    return Outgoing(
        connections=connections,
        closed=closed,
        inode=inode,
        port=int.from_bytes(pair[: _LOCAL.start], "big"),
        is_here=pair[_LOCAL] == pair[_REMOTE],
    )


def _listener(part: bytes, start: int) -> Listener:
    fields = SOCKET.unpack_from(part, start + HEADER.size)
    family, port, source = fields[0], fields[4], fields[6]
    address = socket.inet_ntop(family, source[:4] if family == socket.AF_INET else source)
    return Listener(
        family=family,
        address=address,
        port=int.from_bytes(port, "big"),
        inode=fields[15],
        accept_queue=fields[12],
        accept_queue_limit=fields[13],
        drops=_drops(part, start),
    )


def _drops(part: bytes, start: int) -> int | None:
    """Return SK_MEMINFO_DROPS from the attributes behind a message about a socket."""
    place = attribute_at(part, start, _MEMINFO, 4 * _MEMINFO_DROPS + 4)
    if place is None:
        return None
    (drops,) = _COUNT.unpack_from(part, place + 4 * _MEMINFO_DROPS)
    return int(drops)
