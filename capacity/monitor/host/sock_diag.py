"""Counting TCP sockets through NETLINK_SOCK_DIAG (sock_diag(7)), without root and without /proc.

The kernel filters by state and, with a program of INET_DIAG operations, by local port, so that
only the sockets asked for cross into this process. A dual-stack listener's connections belong to
AF_INET6 even when the peer speaks IPv4: each family is asked for by itself.
"""

import os
import socket
import struct
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from capacity.monitor.host.port_reuse import PortReuse

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_ESTABLISHED, _LISTEN = 1, 10
_TIME_WAIT = 6
_CONNECTED = tuple(state for state in range(1, 12) if state not in {3, 7, _TIME_WAIT, _LISTEN})
"""All in which a socket keeps its port, but TIME_WAIT, which is looked at by itself, and
SYN_RECEIVED, which no outgoing one is in."""
_REQ_BYTECODE = 1
_MEMINFO_WANTED, _MEMINFO, _MEMINFO_DROPS = 1 << 6, 7, 8
"""INET_DIAG_SKMEMINFO as a bit of idiag_ext and as an attribute; SK_MEMINFO_DROPS in it."""
_INFO_WANTED, _INFO = 1 << 1, 2
"""INET_DIAG_INFO likewise: struct tcp_info (linux/tcp.h), which only ever grew at its end."""
_INFO_RETRANSMITS_AT, _INFO_SEGMENTS_AT = 100, 136
"""tcpi_total_retrans, and tcpi_segs_out of Linux 4.2 and later, 32 bits each."""
_OP_JUMP, _OP_LOCAL_PORT_IS, _OP_REMOTE_PORT_IS = 1, 11, 12

_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI48s")
_OPERATION = struct.Struct("=BBH")
_SOCKET = struct.Struct("=BBBB2s2s16s16sIIIIIIII")
"""inet_diag_msg: family, state, timer, retransmits, ports and addresses in network order,
interface, cookie (2), expiry, receive queue, write queue, uid, inode."""
_ATTRIBUTE = struct.Struct("=HH")
_COUNT = struct.Struct("=I")
_PAIR = slice(_HEADER.size + 6, _HEADER.size + 40)
"""Remote port, local and remote address, as they lie in a message."""
_LOCAL = slice(2, 18)
"""The local address in such a pair."""
_INODE = struct.Struct("=I")
_INODE_AT = _HEADER.size + _SOCKET.size - _INODE.size
_STATE_AT = _HEADER.size + 1
_EXPIRY_AT = _HEADER.size + 52
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
            for start in _starts(message)
        ]

    def established(self, family: int, ports: Collection[int]) -> int:
        """Count the established connections whose local port is one of *ports*."""
        if not ports:
            return 0
        program = port_filter(ports)
        return sum(_count(message) for message in self._dump(family, (_ESTABLISHED,), program))

    def sent(self, family: int, ports: Collection[int]) -> tuple[int, int]:
        """Return the segments that connections whose local port is one of *ports* have sent, and
        how many of them again, since each was opened.
        """
        if not ports:
            return 0, 0
        segments = retransmits = 0
        program = port_filter(ports)
        for part in self._dump(family, (_ESTABLISHED,), program, _INFO_WANTED):
            for start in _starts(part):
                place = _attribute(part, start, _INFO, _INFO_SEGMENTS_AT + 4)
                if place is not None:
                    (again,) = _COUNT.unpack_from(part, place + _INFO_RETRANSMITS_AT)
                    (sent,) = _COUNT.unpack_from(part, place + _INFO_SEGMENTS_AT)
                    retransmits, segments = retransmits + again, segments + sent
        return segments, retransmits

    def outgoing(
        self, family: int, listening: Collection[int], reuse: PortReuse
    ) -> dict[bytes, Outgoing]:
        """Count the connections of each pair of a local address and a destination.

        *listening* are ports of which neither end's connections count: those of the target's
        listeners, at which its clients end.
        """
        program = no_port_filter(listening)
        counts: Counter[bytes] = Counter()
        closed: Counter[bytes] = Counter()
        inodes: dict[bytes, int] = {}
        for part in self._dump(family, (*_CONNECTED, _TIME_WAIT), program):
            for start in _starts(part):
                pair = part[start + _PAIR.start : start + _PAIR.stop]
                if part[start + _STATE_AT] == _TIME_WAIT:
                    (left_ms,) = _COUNT.unpack_from(part, start + _EXPIRY_AT)
                    closed[pair] += reuse.is_taken(pair[_LOCAL], left_ms / 1000)
                    continue
                counts[pair] += 1
                (inode,) = _INODE.unpack_from(part, start + _INODE_AT)
                inodes[pair] = inode or inodes.get(pair, 0)
        return {
            pair: Outgoing(connections=counts[pair], closed=closed[pair], inode=inodes.get(pair, 0))
            for pair in counts.keys() | closed.keys()
        }

    def connections(self, family: int, listening: Collection[int]) -> Iterator[Connection]:
        """Yield the connections that were not accepted on one of the *listening* ports."""
        program = no_port_filter(listening, (_OP_LOCAL_PORT_IS,))
        for part in self._dump(family, _CONNECTED, program):
            for start in _starts(part):
                fields = _SOCKET.unpack_from(part, start + _HEADER.size)
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
        body = _REQUEST.pack(family, socket.IPPROTO_TCP, wanted, 0, mask, bytes(48))
        if program:
            body += struct.pack("=HH", 4 + len(program), _REQ_BYTECODE) + program
        flags = _NLM_F_REQUEST | _NLM_F_DUMP
        head = _HEADER.pack(
            _HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, flags, self._sequence, 0
        )
        self._netlink.send(head + body)
        while True:
            part = self._netlink.recv(_RECEIVE_BYTES)
            _, _, _, sequence, _ = _HEADER.unpack_from(part)
            if sequence != self._sequence:
                continue  # The rest of an answer whose reading was cut short by an error.
            end = _end_of_sockets(part)
            if end:
                yield part[:end]
            if end < len(part):
                _raise_for_error(part, end)
                return


def port_filter(ports: Collection[int]) -> bytes:
    """Return the program that accepts a socket whose local port is one of *ports*.

    Per port: compare; on a match go on to a jump to the end, else skip that jump. Jumping to the
    end accepts, jumping four bytes past it rejects.
    """
    block_bytes, wanted = 12, sorted(ports)
    total_bytes = block_bytes * len(wanted) - 4
    program = b""
    for index, port in enumerate(wanted):
        is_last = index == len(wanted) - 1
        program += _OPERATION.pack(_OP_LOCAL_PORT_IS, 8, 12) + _OPERATION.pack(0, 0, port)
        if not is_last:
            program += _OPERATION.pack(_OP_JUMP, 4, total_bytes - len(program))
    return program


def no_port_filter(
    ports: Collection[int], ends: Collection[int] = (_OP_LOCAL_PORT_IS, _OP_REMOTE_PORT_IS)
) -> bytes:
    """Return the program that accepts a socket neither of whose ports is one of *ports*.

    Per port and end: compare; on a match go on to a jump past the end, else skip that jump.
    """
    block_bytes = 12
    checks = [(end, port) for port in sorted(ports) for end in ends]
    program, total_bytes = b"", block_bytes * len(checks)
    for end, port in checks:
        program += _OPERATION.pack(end, 8, block_bytes) + _OPERATION.pack(0, 0, port)
        program += _OPERATION.pack(_OP_JUMP, 4, total_bytes + 4 - len(program))
    return program


def _starts(part: bytes) -> Iterator[int]:
    start = 0
    while start < len(part):
        length_bytes, kind, *_ = _HEADER.unpack_from(part, start)
        if kind != _SOCK_DIAG_BY_FAMILY:
            return
        yield start
        start += (length_bytes + 3) & ~3


def _end_of_sockets(part: bytes) -> int:
    """Return where the messages about sockets end: mostly the end of the part."""
    if _uniform_count(part):
        return len(part)
    end = 0
    for start in _starts(part):
        end = start + ((_HEADER.unpack_from(part, start)[0] + 3) & ~3)
    return end


def _uniform_count(part: bytes) -> int:
    """Return how many messages *part* holds if all are equally long and about sockets, else 0.

    Thousands of sockets come as equal messages: comparing strided columns counts them without a
    loop in Python.
    """
    if len(part) % 4:
        return 0
    words = memoryview(part).cast("I")
    stride = words[0] // 4
    if words[0] % 4 or len(words) % stride or words[1] & 0xFFFF != _SOCK_DIAG_BY_FAMILY:
        return 0
    if set(words[::stride]) != {words[0]} or set(words[1::stride]) != {words[1]}:
        return 0
    return len(words) // stride


def _count(part: bytes) -> int:
    return _uniform_count(part) or sum(1 for _ in _starts(part))


def _raise_for_error(part: bytes, start: int) -> None:
    _, kind, *_ = _HEADER.unpack_from(part, start)
    if kind in {_NLMSG_ERROR, _NLMSG_DONE}:
        (code,) = struct.unpack_from("=i", part, start + _HEADER.size)
        if code:
            raise OSError(-code, f"sock_diag: {os.strerror(-code)}")


def _listener(part: bytes, start: int) -> Listener:
    fields = _SOCKET.unpack_from(part, start + _HEADER.size)
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
    place = _attribute(part, start, _MEMINFO, 4 * _MEMINFO_DROPS + 4)
    if place is None:
        return None
    (drops,) = _COUNT.unpack_from(part, place + 4 * _MEMINFO_DROPS)
    return int(drops)


def _attribute(part: bytes, start: int, wanted: int, least_bytes: int) -> int | None:
    """Return where the content of an attribute begins; None where it is not there or shorter."""
    end = start + _HEADER.unpack_from(part, start)[0]
    place = start + _HEADER.size + _SOCKET.size
    while place + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(part, place)
        if kind == wanted and length - _ATTRIBUTE.size >= least_bytes:
            return place + _ATTRIBUTE.size
        place += max(_ATTRIBUTE.size, (length + 3) & ~3)
    return None
