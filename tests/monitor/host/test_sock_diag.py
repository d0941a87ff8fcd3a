"""Counts of real sockets."""

import contextlib
import os
import runpy
import socket
import struct
from pathlib import Path

import pytest

from capacity.monitor.host import sock_diag
from capacity.monitor.host.port_reuse import PortReuse
from capacity.monitor.host.sock_diag import SocketTable

MESSAGES = runpy.run_path(str(Path(__file__).with_name("made_up_messages.py")))
attribute, told = MESSAGES["attribute"], MESSAGES["told"]


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


HERE = {socket.AF_INET: ("127.0.0.7", "127.0.0.1"), socket.AF_INET6: ("::1", "::1")}
TAKEN, FREE = PortReuse(mode=0), PortReuse(mode=2, after_s=0.0)


@pytest.fixture(params=HERE, ids=["IPv4", "IPv6"])
def family(request):
    return request.param


@pytest.fixture
def pair(opened, family):
    """Connect from an address of the test's own; return both ends and the key of the client's."""
    near, far = HERE[family]
    port, server = listen(opened, far, family)

    def connect_pair():
        client = socket.create_connection((far, port), source_address=(near, 0))
        accepted, _ = server.accept()
        opened.extend((client, accepted))
        return client, accepted

    packed = [socket.inet_pton(family, each).ljust(16, b"\0") for each in (near, far)]
    return connect_pair, port, port.to_bytes(2, "big") + b"".join(packed)


def test_outgoing_connections_are_counted_by_where_they_lead(table, family, pair):
    connect_pair, port, key = pair
    inodes = {os.fstat(connect_pair()[0].fileno()).st_ino for _ in range(3)}
    found = table.outgoing(family, (), TAKEN)[key]

    assert (found.connections, found.closed) == (3, 0)
    assert found.inode in inodes
    assert key not in table.outgoing(family, (port,), TAKEN)


def test_a_port_that_is_still_taken_is_told_from_one_that_can_be_had_again(table, family, pair):
    connect_pair, _port, key = pair
    for _ in range(2):
        client, accepted = connect_pair()
        client.close()
        accepted.close()
    taken, free = (table.outgoing(family, (), reuse)[key] for reuse in (TAKEN, FREE))

    assert (taken.connections, taken.closed, taken.inode) == (0, 2, 0)
    assert (free.connections, free.closed) == (0, 0)


def test_the_time_that_a_closed_port_has_left_is_in_seconds(table, family, pair):
    connect_pair, _port, key = pair
    client, accepted = connect_pair()
    client.close()
    accepted.close()
    said = [
        table.outgoing(family, (), PortReuse(mode=1, after_s=after_s))[key].closed
        for after_s in (0.0, 60.0)
    ]

    assert [0, 1] == said


def test_who_holds_one_is_told_where_others_of_the_same_way_are_nobodys(table, family, pair):
    connect_pair, _port, key = pair
    orphan, _its_end = connect_pair()
    orphan.close()
    nobodys = table.outgoing(family, (), TAKEN)[key]
    held, _its_end = connect_pair()
    found = table.outgoing(family, (), TAKEN)[key]

    assert (nobodys.connections, nobodys.inode) == (1, 0)
    assert (found.connections, found.inode) == (2, os.fstat(held.fileno()).st_ino)


def fill(end):
    end.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            end.send(bytes(1 << 16))


@pytest.mark.parametrize(
    "deeds",
    [
        (),
        (lambda _client, accepted: accepted.shutdown(socket.SHUT_WR),),
        (lambda client, _accepted: client.shutdown(socket.SHUT_WR),),
        (lambda client, _accepted: (fill(client), client.shutdown(socket.SHUT_WR)),),
        (
            lambda _client, accepted: accepted.shutdown(socket.SHUT_WR),
            lambda client, _accepted: (fill(client), client.shutdown(socket.SHUT_WR)),
        ),
    ],
    ids=["ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT2", "FIN_WAIT1", "LAST_ACK"],
)
def test_a_port_is_taken_in_every_state_of_its_connection(table, family, pair, deeds):
    connect_pair, _port, key = pair
    client, accepted = connect_pair()
    for deed in deeds:
        deed(client, accepted)

    assert 1 == table.outgoing(family, (), TAKEN)[key].connections


def test_a_port_is_taken_while_the_other_end_has_not_answered(table, opened):
    port, _server = listen(opened, "127.0.0.1", socket.AF_INET, backlog=0)
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.bind(("127.0.0.7", 0))
        client.connect_ex(("127.0.0.1", port))
        opened.append(client)
    key = port.to_bytes(2, "big") + b"".join(
        socket.inet_aton(each).ljust(16, b"\0") for each in ("127.0.0.7", "127.0.0.1")
    )

    assert 4 == table.outgoing(socket.AF_INET, (), TAKEN)[key].connections


def test_a_connection_has_its_socket_and_its_other_end(table, family, pair):
    connect_pair, port, _key = pair
    client, accepted = connect_pair()
    near, far = HERE[family]
    found = {each.inode: each for each in table.connections(family, ())}
    unlistened = {each.inode for each in table.connections(family, (port,))}
    mine, its = (found[os.fstat(end.fileno()).st_ino] for end in (client, accepted))

    assert (mine.address, mine.port) == (far, port)
    assert (its.address, its.port) == (near, client.getsockname()[1])
    assert mine.inode in unlistened
    assert its.inode not in unlistened


def test_a_kernel_that_does_not_answer_is_waited_for_five_seconds(table):
    assert 5.0 == table._netlink.gettimeout()


@pytest.mark.parametrize(("words", "drops"), [(9, 77), (8, None)])
def test_drops_are_the_ninth_word_of_a_sockets_memory(words, drops):
    memory = struct.pack(f"={words}I", *[1, 2, 3, 4, 5, 6, 7, 8, 77][:words])

    assert drops == sock_diag._drops(told(attribute(7, memory)), 0)


@pytest.mark.parametrize(("cut_bytes", "sent"), [(0, (7, 3)), (1, (0, 0))])
def test_what_was_sent_again_is_told_apart(cut_bytes, sent):
    """tcpi_total_retrans and tcpi_segs_out lie at 100 and 136 of struct tcp_info."""

    class Answered(SocketTable):
        def _dump(self, *_asked):
            info = bytes(100) + b"\3\0\0\0" + bytes(32) + b"\7\0\0\0"
            return [told(attribute(2, info[: len(info) - cut_bytes]))] * 2

    table = Answered()
    table.close()

    assert tuple(2 * each for each in sent) == table.sent(socket.AF_INET, {1})


def test_of_a_dual_stack_listener_the_clients_end_is_the_other_one(table, opened):
    server = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    port = server.getsockname()[1]
    client = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.7", 0))
    accepted, _ = server.accept()
    opened += [server, client, accepted]
    found = {each.inode: each for each in table.connections(socket.AF_INET6, ())}

    assert "::ffff:127.0.0.7" == found[os.fstat(accepted.fileno()).st_ino].address


def test_loopback_is_told_by_its_address():
    def listens(address):
        return sock_diag.Listener(
            family=socket.AF_INET,
            address=address,
            port=1,
            inode=1,
            accept_queue=0,
            accept_queue_limit=1,
        ).is_loopback

    assert [True, True, False, False] == [
        listens(each) for each in ("127.9.9.9", "::1", "128.0.0.1", "::2")
    ]
