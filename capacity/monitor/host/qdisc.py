"""What the queueing disciplines let out: their kinds and rates by rtnetlink (tc-tbf(8)).

Read with RTM_GETQDISC (rtnetlink(7), linux/pkt_sched.h), which asks for no privilege. A token
bucket at the root of an interface caps all that it sends; other shapers have rates a class or a
peer, and are named only.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_GET, _NEW, _ERROR, _DONE = 38, 36, 2, 3
_REQUEST_DUMP = 0x301
_ROOT = 0xFFFFFFFF
_KIND, _OPTIONS = 1, 2
_TBF_PARAMETERS, _TBF_RATE64 = 1, 4
_RATE_OFFSET = 8
"""Of tc_ratespec.rate in tc_tbf_qopt; 32 bits, all ones when the rate stands in TBF_RATE64."""

_HEADER = struct.Struct("=IHHII")
_MESSAGE = struct.Struct("=BxxxiIII")
"""tcmsg: family, interface, handle, parent, info."""
_ATTRIBUTE = struct.Struct("=HH")
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Qdisc:
    """The discipline at the root of one interface."""

    kind: str
    rate_bytes_per_s: int | None
    """Of a token bucket; None for all other kinds."""


def root_qdiscs() -> dict[str, Qdisc]:
    """Return the root discipline by interface, in the calling thread's network namespace."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.settimeout(_TIMEOUT_S)
        body = _MESSAGE.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        netlink.send(_HEADER.pack(_HEADER.size + len(body), _GET, _REQUEST_DUMP, 1, 0) + body)
        found = {}
        for message in _messages(netlink):
            _family, interface, _handle, parent, _info = _MESSAGE.unpack_from(message)
            if parent == _ROOT:
                found[socket.if_indextoname(interface)] = _qdisc(message[_MESSAGE.size :])
        return found


def _messages(netlink: socket.socket) -> Iterator[bytes]:
    while True:
        part = netlink.recv(1 << 16)
        start = 0
        while start < len(part):
            length_bytes, kind, *_ = _HEADER.unpack_from(part, start)
            body = part[start + _HEADER.size : start + length_bytes]
            if kind == _DONE:
                return
            if kind == _ERROR:
                code = -struct.unpack_from("=i", body)[0]
                raise OSError(code, "rtnetlink refused to list the queueing disciplines")
            if kind == _NEW:
                yield body
            start += (length_bytes + 3) & ~3


def _qdisc(attributes: bytes) -> Qdisc:
    values = dict(_attributes(attributes))
    kind = values[_KIND].rstrip(b"\0").decode()
    rate_bytes_per_s = None
    if kind == "tbf":
        options = dict(_attributes(values[_OPTIONS]))
        (rate_bytes_per_s,) = struct.unpack_from("=I", options[_TBF_PARAMETERS], _RATE_OFFSET)
        if _TBF_RATE64 in options:
            (rate_bytes_per_s,) = struct.unpack("=Q", options[_TBF_RATE64])
    return Qdisc(kind=kind, rate_bytes_per_s=rate_bytes_per_s)


def _attributes(text: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start < len(text):
        length_bytes, kind = _ATTRIBUTE.unpack_from(text, start)
        yield kind, text[start + _ATTRIBUTE.size : start + length_bytes]
        start += (length_bytes + 3) & ~3
