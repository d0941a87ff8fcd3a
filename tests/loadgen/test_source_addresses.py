"""Real sockets on loopback, where every address of 127.0.0.0/8 is this machine's."""

import errno
import itertools
import socket
import struct

import pytest

from capacity.loadgen.source_addresses import SourceAddressError, in_turn, leave_from

_IP_LOCAL_PORT_RANGE = 51
"""linux/in.h; since Linux 6.3 a socket's own range of ports."""
NOT_OURS = "192.0.2.1"
"""Documentation's (RFC 5737): no machine has it."""


@pytest.fixture
def listen():
    """Return a listener on an address."""
    listeners = []

    def on(host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listeners.append(socket.create_server((host, 0), family=family))
        return listeners[-1]

    yield on
    for listener in listeners:
        listener.close()


def test_addresses_come_in_turn_and_without_any_the_kernel_chooses():
    assert ["a", "b", "a"] == list(itertools.islice(in_turn(("a", "b")), 3))
    assert [None, None] == list(itertools.islice(in_turn(()), 2))


@pytest.mark.parametrize(
    ("source", "family"), [("127.0.0.2", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_binding_takes_no_port(source, family):
    with socket.socket(family) as sock:
        leave_from(sock, source)

        assert (source, 0) == sock.getsockname()[:2]


def test_one_port_serves_connections_to_several_targets(listen):
    targets = [listen().getsockname() for _ in range(3)]
    with socket.create_server(("127.0.0.3", 0)) as free:  # Last: nobody must listen on its port.
        port = free.getsockname()[1]
    only_port = struct.pack("@I", port << 16 | port)
    socks = [socket.socket() for _ in targets]
    try:
        for sock, target in zip(socks, targets, strict=True):
            try:
                sock.setsockopt(socket.IPPROTO_IP, _IP_LOCAL_PORT_RANGE, only_port)
            except OSError as error:
                pytest.skip(f"this kernel knows no range of ports for a socket: {error}")
            leave_from(sock, "127.0.0.3")
            sock.connect(target)

        assert [("127.0.0.3", port)] * 3 == [sock.getsockname() for sock in socks]
        with socket.socket() as second:
            second.setsockopt(socket.IPPROTO_IP, _IP_LOCAL_PORT_RANGE, only_port)
            leave_from(second, "127.0.0.3")

            assert errno.EADDRNOTAVAIL == second.connect_ex(targets[0])
    finally:
        for sock in socks:
            sock.close()


def test_an_address_of_another_machine_is_named():
    with socket.socket() as sock, pytest.raises(SourceAddressError, match=NOT_OURS):
        leave_from(sock, NOT_OURS)
