"""The epoll set on real sockets: the other end of a socket pair plays the target."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import time

import gevent
import pytest
from wsproto.connection import Connection as Peer
from wsproto.connection import ConnectionType
from wsproto.events import CloseConnection, TextMessage

from capacity.loadgen.connections import (
    MAX_UNSENT_BYTES,
    READY_PER_TURN,
    STAMP_EVERY,
    ConnectionSet,
    spread,
)

PATIENCE_S = 5


class Heard:
    def __init__(self):
        self.payloads = []
        self.lost = []

    def on_messages(self, connection, payloads):
        self.payloads += payloads

    def on_lost(self, connection, reason):
        self.lost.append(reason)


@pytest.fixture
def connections():
    connections = ConnectionSet()
    yield connections
    connections.close()


@pytest.fixture
def pair(connections):
    """Open a connection; return it, its listener and the target's end."""
    peers = []

    def open_pair(max_message_bytes=1 << 20):
        ours, theirs = socket.socketpair()
        peers.append(theirs)
        heard = Heard()
        return connections.add(ours, heard, max_message_bytes), heard, theirs

    yield open_pair
    for peer in peers:
        peer.close()


@pytest.fixture
def tls_pair(tmp_path):
    """Return both ends of a TLS connection; the target's end first."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: nothing makes a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *[
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ],
            *("-nodes", "-days", "1", "-subj", "/CN=target", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=str(certificate))
    ours, theirs = socket.socketpair()
    accepting = gevent.spawn(server.wrap_socket, theirs, server_side=True)
    secured = client.wrap_socket(ours, server_hostname="target")
    yield accepting.get(timeout=PATIENCE_S), secured
    accepting.value.close()
    secured.close()


def wait_until(condition):
    with gevent.Timeout(PATIENCE_S):
        while not condition():
            gevent.sleep(0.005)


def text_frame(text):
    return Peer(ConnectionType.SERVER).send(TextMessage(data=text))


def test_messages_reach_the_listener_in_order(pair):
    _connection, heard, target = pair()
    target.sendall(b"".join(text_frame(f"m{number}") for number in range(100)))
    wait_until(lambda: len(heard.payloads) == 100)

    assert [f"m{number}".encode() for number in range(100)] == heard.payloads


def test_a_message_larger_than_a_read_arrives_whole(pair):
    _connection, heard, target = pair()
    big = "x" * 200_000
    gevent.spawn(target.sendall, text_frame(big))
    wait_until(lambda: heard.payloads)

    assert [big.encode()] == heard.payloads


def test_more_connections_than_one_turn_are_all_served(pair):
    pairs = [pair() for _ in range(READY_PER_TURN + 50)]
    for _connection, _heard, target in pairs:
        target.sendall(text_frame("tick"))
    wait_until(lambda: all(heard.payloads for _c, heard, _t in pairs))

    assert all([b"tick"] == heard.payloads for _c, heard, _t in pairs)


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
    while not heard.lost and sent_bytes < MAX_UNSENT_BYTES * 4:
        connection.send(b"x" * 60_000)
        sent_bytes += 60_000

    assert ["target_not_reading"] == heard.lost


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (lambda target: target.close(), "connection_ended"),
        (
            lambda target: target.sendall(
                Peer(ConnectionType.SERVER).send(CloseConnection(code=1001))
            ),
            "closed_by_target",
        ),
        (lambda target: target.sendall(b"\x81\x83junk..."), "frame_masked"),
        (
            lambda target: target.sendall(b"\x81\x7f\x00\x00\x00\x02" + b"\x00" * 4),
            "message_too_big",
        ),
    ],
    ids=["end without close frame", "close frame", "masked frame", "huge frame"],
)
def test_a_connection_that_ends_is_lost_once_with_the_reason(pair, connections, action, reason):
    _connection, heard, target = pair()
    _neighbour, neighbour_heard, neighbour_target = pair()
    action(target)
    wait_until(lambda: heard.lost)
    neighbour_target.sendall(text_frame("unharmed"))
    wait_until(lambda: neighbour_heard.payloads)

    assert [reason] == heard.lost
    assert 1 == len(connections)


def test_leaving_says_goodbye_and_is_no_loss(pair, connections):
    connection, heard, target = pair()
    connection.close()
    connection.close()
    connection.send(b"after the end")
    peer = Peer(ConnectionType.SERVER)
    peer.receive_data(target.recv(1000))

    assert isinstance(next(peer.events()), CloseConnection)
    assert [] == heard.lost
    assert 0 == len(connections)


def test_timers_fire_while_messages_pour_in(pair):
    pairs = [pair() for _ in range(300)]
    chunk = b"".join(text_frame("x" * 100) for _ in range(30))

    def pour():
        while True:
            for _c, _h, target in pairs:
                target.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    target.send(chunk)
            gevent.sleep(0)

    pourer = gevent.spawn(pour)
    beats = 0
    with gevent.Timeout(PATIENCE_S):
        for _ in range(20):
            gevent.sleep(0.01)
            beats += 1
    pourer.kill()

    assert 20 == beats
    assert sum(len(heard.payloads) for _c, heard, _t in pairs) > 300


def test_spreading_calls_everything_once_and_takes_its_time(seconds):
    done, started = [], gevent.get_hub().loop.now()
    spread(done.append, list(range(50)), per_s=200)
    gevent.get_hub().loop.update_now()

    assert list(range(50)) == done
    assert gevent.get_hub().loop.now() - started >= 0.2


def test_what_tls_decrypted_with_the_handshake_comes_once_the_connection_is_known(
    connections, tls_pair
):
    target, ours = tls_pair
    target.sendall(
        b"!" + text_frame("early") + Peer(ConnectionType.SERVER).send(CloseConnection(1001))
    )
    assert b"!" == ours.recv(1)  # The rest of the record is decrypted now: no epoll will tell.
    heard = Heard()
    connections.add(ours, heard, 1 << 20)
    heard_while_adding = [*heard.payloads, *heard.lost]
    wait_until(lambda: heard.lost)

    assert [] == heard_while_adding
    assert ([b"early"], ["closed_by_target"]) == (heard.payloads, heard.lost)


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
        gevent.sleep(0.1)
        for peer in theirs:
            peer.close()

    stamps = [connection.arrived_at_s for connection in opened]
    assert [True, *[False] * (STAMP_EVERY - 1), True] == [stamp is not None for stamp in stamps]
    assert all(sent_at_s - 0.01 < stamp < sent_at_s + 0.2 for stamp in (stamps[0], stamps[-1]))
