"""Connections that leave from an address of our choice: one address has ports for some 28,000.

A bind(2) to port 0 takes a port that no other connection from there may have, to whatever target.
IP_BIND_ADDRESS_NO_PORT (Linux 4.2, ip(7)) leaves the choice to connect(2), which knows the target.
"""

import itertools
import socket
from collections.abc import Iterator, Sequence
from typing import Any

_IP_BIND_ADDRESS_NO_PORT = 24
"""linux/in.h; holds for IPv6 sockets as well."""


class SourceAddressError(OSError):
    """No connection can leave from this address: it is not this machine's."""


def in_turn(addresses: Sequence[str]) -> Iterator[str | None]:
    """Yield *addresses* for ever; None, the kernel's choice, when there are none."""
    return itertools.cycle(addresses or [None])


def leave_from(sock: Any, address: str) -> None:
    """Bind a socket to *address* and no port. Raises SourceAddressError."""
    try:
        sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((address, 0))
    except OSError as error:
        raise SourceAddressError(error.errno, f"{address}: {error.strerror}") from error
