"""Outgoing connections and their ports: where they lead, who holds one, when it can be had again."""

import contextlib
import os
import runpy
import socket
from pathlib import Path

import pytest

from capacity.monitor.host import sock_diag
from capacity.monitor.host.port_reuse import PortReuse

SOCKETS = runpy.run_path(str(Path(__file__).with_name("sockets.py")))
table = SOCKETS["table"]
opened = SOCKETS["opened"]
listen = SOCKETS["listen"]
HERE = SOCKETS["HERE"]
family = SOCKETS["family"]
TAKEN, FREE = PortReuse(mode=0), PortReuse(mode=2, after_s=0.0)


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
    clients = [connect_pair()[0] for _ in range(3)]
    inodes = {os.fstat(client.fileno()).st_ino for client in clients}
    found = table.outgoing(family, (), TAKEN)[key]

    assert (found.connections, found.closed) == (3, 0)
    assert found.inode in inodes
    assert (found.port, found.is_here) == (port, key[2:18] == key[18:])
    accepted = clients[0].getsockname()[1].to_bytes(2, "big") + key[18:] + key[2:18]
    assert accepted in table.outgoing(family, (), TAKEN)
    listening = table.outgoing(family, (port,), TAKEN)
    assert key in listening
    assert accepted not in listening


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


def drain(end):
    end.settimeout(20)
    while end.recv(1 << 16):
        pass


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
        (
            lambda client, accepted: (fill(client), fill(accepted)),
            lambda client, accepted: [each.shutdown(socket.SHUT_WR) for each in (client, accepted)],
            lambda client, _accepted: drain(client),
        ),
    ],
    ids=["ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT2", "FIN_WAIT1", "LAST_ACK", "CLOSING"],
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
