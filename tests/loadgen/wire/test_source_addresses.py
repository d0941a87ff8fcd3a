"""Real sockets on loopback, where every address of 127.0.0.0/8 is this machine's."""

import errno
import itertools
import socket
import struct

import pytest

from capacity.loadgen.wire.source_addresses import SourceAddressError, in_turn, leave_from

_IP_LOCAL_PORT_RANGE = 51
"""linux/in.h; since Linux 6.3 a socket's own range of ports."""
NOT_OURS = "192.0.2.1"
"""Documentation's (RFC 5737): no machine has it."""


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


@pytest.fixture
def leave_by():
    """Return a socket, and what the connect of it to *target* from one port of ours came to."""
    socks = []

    def connect(port, target):
        socks.append(socket.socket())
        only_port = struct.pack("@I", port << 16 | port)
        try:
            socks[-1].setsockopt(socket.IPPROTO_IP, _IP_LOCAL_PORT_RANGE, only_port)
        except OSError as error:
            pytest.skip(f"this kernel knows no range of ports for a socket: {error}")
        leave_from(socks[-1], "127.0.0.3")
        return socks[-1], socks[-1].connect_ex(target)

    yield connect
    for sock in socks:
        sock.close()


def test_one_port_serves_connections_to_several_targets(listen, leave_by):
    targets = [listen().getsockname() for _ in range(3)]
    refusal = errno.EADDRNOTAVAIL
    for _ in range(50):  # Others may be given the port between its release and our use of it.
        with socket.create_server(("127.0.0.3", 0)) as free:
            port = free.getsockname()[1]
        first, refusal = leave_by(port, targets[0])
        if not refusal:
            break
    assert 0 == refusal
    socks = [first, *(leave_by(port, target)[0] for target in targets[1:])]

    assert [("127.0.0.3", port)] * 3 == [sock.getsockname() for sock in socks]
    assert errno.EADDRNOTAVAIL == leave_by(port, targets[0])[1]


def test_an_address_of_another_machine_is_named():
    with socket.socket() as sock, pytest.raises(SourceAddressError, match=NOT_OURS):
        leave_from(sock, NOT_OURS)
