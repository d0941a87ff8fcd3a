"""One connection on real sockets."""

import os
import runpy
import socket
import time
from pathlib import Path

import gevent
import pytest
from wsproto.connection import Connection as Peer
from wsproto.connection import ConnectionType

from capacity.loadgen.wire.epoll_set import STAMP_EVERY

PAIRS = runpy.run_path(str(Path(__file__).parents[1] / "socket_pairs.py"))
Heard = PAIRS["Heard"]
connections = PAIRS["connections"]
pair = PAIRS["pair"]
text_frame = PAIRS["text_frame"]
tls_pair = PAIRS["tls_pair"]
PATIENCE_S = PAIRS["PATIENCE_S"]
KERNEL_TICK_S = 0.01
"""A stamp may be of the tick before."""


def test_what_is_sent_reaches_the_target_unmasked(pair):
    connection, _heard, target = pair()
    connection.send(b'{"id":1}')
    peer = Peer(ConnectionType.SERVER)
    peer.receive_data(target.recv(1000))

    assert '{"id":1}' == next(peer.events()).data


def test_a_target_that_reads_late_gets_everything_in_order(pair):
    connection, _heard, target = pair()
    messages = [f"{number:04}".encode() * 500 for number in range(400)]
    for message in messages:
        connection.send(message)
    expected = b"".join(messages)
    peer, received = Peer(ConnectionType.SERVER), bytearray()

    def read():
        while len(received) < len(expected):
            peer.receive_data(target.recv(65536))
            for event in peer.events():  # A large message comes in several parts.
                received.extend(event.data.encode())

    gevent.spawn(read).join(PATIENCE_S)

    assert expected == bytes(received)


def test_a_target_that_never_reads_costs_its_connection_not_our_memory(pair):
    connection, heard, _target = pair()
    sent_bytes = 0
    while not heard.lost and sent_bytes < 64 << 20:
        connection.send(b"x" * 60_000)
        sent_bytes += 60_000

    assert ["target_not_reading"] == heard.lost


def test_one_connection_in_many_tells_when_the_kernel_received_what_it_reads(connections):
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours, theirs, opened = [], [], []
        for _ in range(STAMP_EVERY + 1):
            ours.append(socket.create_connection(server.getsockname()))
            theirs.append(server.accept()[0])
            opened.append(connections.add(ours[-1], Heard(), 1 << 20))
        gevent.sleep(0.05)  # The kernel begins to stamp a moment after it was first asked.
        sent_at_s = time.time()
        for peer in theirs:
            peer.sendall(b"\x81\x02hi")
        time.sleep(0.3)  # Nobody reads; the kernel's time is not that of the reading.
        read_at_s = time.time()
        gevent.sleep(0.1)
        for peer in theirs:
            peer.close()

    stamps = [connection.arrived_at_s for connection in opened]
    assert [True, *[False] * (STAMP_EVERY - 1), True] == [stamp is not None for stamp in stamps]
    earliest_s = sent_at_s - KERNEL_TICK_S
    assert all(earliest_s < stamp < read_at_s for stamp in (stamps[0], stamps[-1]))


def test_below_tls_the_kernel_says_when_it_received_what_is_decrypted(connections, tls_pair):
    target, ours = tls_pair
    heard = Heard()
    connection = connections.add(ours, heard, 1 << 20)
    gevent.sleep(0.05)  # The kernel begins to stamp a moment after it was first asked.
    sent_at_s = time.time()
    target.sendall(text_frame("hi"))
    time.sleep(0.3)
    read_at_s = time.time()
    gevent.sleep(0.1)
    connection.close()

    assert [b"hi"] == heard.payloads
    assert sent_at_s - KERNEL_TICK_S < connection.arrived_at_s < read_at_s


def test_a_stamped_connection_gives_its_descriptor_back(connections, tls_pair):
    _target, ours = tls_pair
    descriptor = ours.fileno()
    connections.add(ours, Heard(), 1 << 20).close()
    gevent.sleep(0.01)  # gevent closes descriptors in the loop's next turn.

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_connection_that_is_closed_has_no_descriptor_and_is_closed_once(pair):
    connection, heard, target = pair()
    connection.close()
    connection.close()
    connection.send(b"late")

    assert (-1, []) == (connection.fd, heard.lost)
    assert 0x88 == target.recv(1000)[0]
    assert b"" == target.recv(1000)


def test_a_mebibyte_may_wait_for_room(pair):
    connection, heard, _target = pair()
    held_bytes = [0]
    while not heard.lost and len(held_bytes) < 1000:
        connection.send(b"x" * 10_000)
        held_bytes.append(connection.held_bytes)

    assert ["target_not_reading"] == heard.lost
    assert (1 << 20) - 20_100 < max(held_bytes[:-1]) <= 1 << 20
