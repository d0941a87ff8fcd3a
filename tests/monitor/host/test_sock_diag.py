"""Counts of real sockets, and the filter program against a model of the kernel's interpreter."""

import os
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.monitor.host import sock_diag
from capacity.monitor.host.sock_diag import SocketTable, no_port_filter, port_filter


@pytest.fixture
def table():
    table = SocketTable()
    yield table
    table.close()


@pytest.fixture
def opened():
    sockets = []
    yield sockets
    for each in sockets:
        each.close()


def listen(opened, host, family, backlog=64):
    server = socket.create_server((host, 0), family=family, backlog=backlog)
    opened.append(server)
    return server.getsockname()[1], server


def connect(opened, host, port, count):
    opened += [socket.create_connection((host, port)) for _ in range(count)]


def test_a_listener_shows_its_queue_and_its_limit(table, opened):
    port, server = listen(opened, "127.0.0.1", socket.AF_INET, backlog=37)
    connect(opened, "127.0.0.1", port, 5)
    found = [entry for entry in table.listeners() if entry.port == port]

    assert len(found) == 1
    assert (found[0].address, found[0].is_loopback) == ("127.0.0.1", True)
    assert (found[0].accept_queue, found[0].accept_queue_limit) == (5, 37)
    assert found[0].inode == os.fstat(server.fileno()).st_ino


def test_connects_that_a_full_queue_dropped_are_the_listeners_own(table, opened):
    full, _ = listen(opened, "127.0.0.1", socket.AF_INET, backlog=1)
    other, _ = listen(opened, "127.0.0.1", socket.AF_INET, backlog=1)
    for _ in range(6):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", full))
        opened.append(client)
    drops = {entry.port: entry.drops for entry in table.listeners()}

    assert drops[full] >= 4
    assert drops[other] == 0


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_established_counts_only_the_asked_ports(table, opened, host, family):
    first, _ = listen(opened, host, family)
    second, _ = listen(opened, host, family)
    connect(opened, host, first, 30)
    connect(opened, host, second, 4)

    assert table.established(family, {first}) == 30
    assert table.established(family, {first, second}) == 34
    assert table.established(family, {second, 1, 2, 3}) == 4
    assert table.established(family, set()) == 0


def test_connections_of_a_dual_stack_listener_belong_to_ipv6(table, opened):
    server = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    opened.append(server)
    port = server.getsockname()[1]
    connect(opened, "127.0.0.1", port, 3)

    assert table.established(socket.AF_INET6, {port}) == 3
    assert table.established(socket.AF_INET, {port}) == 0


def test_a_closed_connection_is_no_longer_counted(table, opened):
    port, server = listen(opened, "127.0.0.1", socket.AF_INET)
    client = socket.create_connection(("127.0.0.1", port))
    accepted, _ = server.accept()
    before = table.established(socket.AF_INET, {port})
    client.close()
    accepted.close()

    assert (before, table.established(socket.AF_INET, {port})) == (1, 0)


def test_many_sockets_come_in_several_parts_and_are_all_counted(table, opened):
    port, _ = listen(opened, "127.0.0.1", socket.AF_INET, backlog=4096)
    connect(opened, "127.0.0.1", port, 900)

    assert table.established(socket.AF_INET, {port}) == 900


def test_a_refusal_of_the_kernel_is_an_os_error(table):
    with pytest.raises(OSError, match="sock_diag"):
        list(table._dump(socket.AF_INET, (1,), b"\xff\xff\xff\xff"))


def test_after_a_refusal_the_next_answer_is_the_right_one(table, opened):
    port, _ = listen(opened, "127.0.0.1", socket.AF_INET)
    connect(opened, "127.0.0.1", port, 2)
    with pytest.raises(OSError, match="sock_diag"):
        list(table._dump(socket.AF_INET, (1,), b"\xff\xff\xff\xff"))

    assert table.established(socket.AF_INET, {port}) == 2


def accepts(program, port, remote=0):
    """inet_diag_bc_run() of the kernel, for the three operations that we use."""
    position, left = 0, len(program)
    while left > 0:
        code, yes, no = struct.unpack_from("=BBH", program, position)
        if code in {11, 12}:
            end = port if code == 11 else remote
            step = yes if struct.unpack_from("=BBH", program, position + 4)[2] == end else no
        else:
            assert code == 1
            step = no
        position, left = position + step, left - step
    return left == 0


@given(st.sets(st.integers(1, 65535), min_size=1, max_size=80), st.integers(1, 65535))
def test_the_filter_accepts_exactly_its_ports(ports, other):
    program = port_filter(ports)

    assert all(accepts(program, port) for port in ports)
    assert accepts(program, other) == (other in ports)


@given(st.sets(st.integers(1, 65535), max_size=80), st.integers(1, 65535), st.integers(1, 65535))
def test_the_other_filter_rejects_its_ports_at_either_end(ports, local, remote):
    program = no_port_filter(ports)

    assert not any(accepts(program, port, remote) for port in ports)
    assert not any(accepts(program, local, port) for port in ports)
    assert accepts(program, local, remote) == (local not in ports and remote not in ports)


def message(kind, length):
    return struct.pack("=IHHII", length, kind, 2, 1, 0) + bytes(length - 16)


@pytest.mark.parametrize(
    ("part", "count"),
    [
        (message(20, 96) * 7, 7),
        (message(20, 96) * 2 + message(20, 104), 3),
        (message(20, 96) * 2 + message(3, 20), 2),
        (message(20, 96) + message(20, 90) + bytes(2), 2),
        (message(3, 20), 0),
    ],
    ids=["alike", "unequal", "with the end", "padded", "only the end"],
)
def test_messages_are_counted_however_they_are_packed(part, count):
    end = sock_diag._end_of_sockets(part)

    assert sock_diag._count(part[:end]) == count if end else count == 0


def test_what_was_sent_is_told_of_the_asked_ports_alone(table, opened):
    port, server = listen(opened, "127.0.0.1", socket.AF_INET)
    connect(opened, "127.0.0.1", port, 2)
    accepted = [server.accept()[0] for _ in range(2)]
    opened += accepted
    before, _ = table.sent(socket.AF_INET, {port})
    for _ in range(10):
        for each in accepted:
            each.sendall(b"x")
    after, again = table.sent(socket.AF_INET, {port})

    assert 20 == after - before
    assert 0 == again
    assert (0, 0) == table.sent(socket.AF_INET6, {port})
    assert (0, 0) == table.sent(socket.AF_INET, ())


@pytest.mark.parametrize("length", [72, 96, 100])
def test_equal_messages_are_counted_without_a_look_at_each(length):
    assert 7 == sock_diag._uniform_count(message(20, length) * 7)


@pytest.mark.parametrize(
    "part",
    [
        message(20, 96) + bytes(2),
        message(20, 90) + bytes(2),
        message(20, 96) + message(20, 104),
        message(3, 20) * 2,
        message(20, 96) * 2 + bytes(4),
    ],
)
def test_what_is_not_all_alike_is_left_to_a_closer_look(part):
    assert 0 == sock_diag._uniform_count(part)
