"""The epoll set on real sockets: the other end of a socket pair plays the target."""

import contextlib
import itertools
import runpy
import socket
from pathlib import Path

import gevent
import pytest
from wsproto.connection import Connection as Peer
from wsproto.connection import ConnectionType
from wsproto.events import CloseConnection

from capacity.loadgen.wire import epoll_set
from capacity.loadgen.wire.connection import BYTES_PER_READ
from capacity.loadgen.wire.epoll_set import ConnectionSet, spread
from capacity.loadgen.wire.memory_budget import MemoryBudget

READY_PER_TURN = 256

PAIRS = runpy.run_path(str(Path(__file__).parents[1] / "socket_pairs.py"))
Heard = PAIRS["Heard"]
connections = PAIRS["connections"]
pair = PAIRS["pair"]
text_frame = PAIRS["text_frame"]
tls_pair = PAIRS["tls_pair"]
wait_until = PAIRS["wait_until"]
PATIENCE_S = PAIRS["PATIENCE_S"]


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


def test_what_waits_in_all_sockets_can_be_read_at_once(pair, connections):
    pairs = [pair() for _ in range(READY_PER_TURN + 50)]
    for _connection, _heard, target in pairs:
        target.sendall(text_frame("tick"))
    connections.serve_all()

    assert all([b"tick"] == heard.payloads for _c, heard, _t in pairs)


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


def test_a_connection_read_slowly_gives_one_read_a_sip(pair, connections):
    connection, heard, target = pair()
    connections.slow_down(connection)
    target.sendall(text_frame("x" * 100) * (4 * BYTES_PER_READ // 102))
    gevent.sleep(0.05)
    before = len(heard.payloads)
    connections.read_slice(connection)

    assert (0, BYTES_PER_READ // 102) == (before, len(heard.payloads))


def test_a_connection_speeded_up_again_gives_what_is_left(pair, connections):
    connection, heard, target = pair()
    connections.slow_down(connection)
    target.sendall(text_frame("tick") * 5000)
    connections.speed_up(connection)
    wait_until(lambda: len(heard.payloads) == 5000)
    target.sendall(text_frame("tock"))
    wait_until(lambda: len(heard.payloads) > 5000)

    assert ([b"tick", b"tock"], []) == (heard.payloads[-2:], heard.lost)


def test_the_end_of_a_connection_read_slowly_is_seen_behind_what_it_did_not_read(pair, connections):
    connection, heard, target = pair()
    connections.slow_down(connection)
    target.sendall(text_frame("tick") * 5000)
    gevent.sleep(0.05)
    before = heard.lost[:]
    target.close()
    wait_until(lambda: heard.lost)

    assert ([], ["connection_ended"]) == (before, heard.lost)


def test_a_connection_read_slowly_still_sends_what_waited_for_room(pair, connections):
    connection, heard, target = pair()
    target.settimeout(1)
    connections.slow_down(connection)
    sent = 400_000
    connection.send(b"x" * sent)
    target.sendall(text_frame("tick"))
    received = 0
    while received < sent:
        gevent.sleep(0.01)
        received += len(target.recv(1 << 16))
    gevent.sleep(0.05)

    assert [] == heard.payloads


@pytest.mark.parametrize(("entering", "entered"), [(0, 1), (1, 0), (2, 0)])
def test_who_waits_for_its_login_has_not_entered(pair, connections, entering, entered):
    pair()
    connections.entering = entering

    assert entered == connections.entered


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


def unfinished(held_bytes):
    """Return the beginning of a message that is never complete."""
    return bytes((0x81, 127)) + (1 << 20).to_bytes(8, "big") + bytes(held_bytes - 10)


def test_of_many_unfinished_messages_the_largest_cost_their_connections_only():
    connections = ConnectionSet(MemoryBudget(100_000))
    found = []
    for held_bytes in (60_000, 20_000, 19_000, 2_000):
        ours, theirs = socket.socketpair()
        heard = Heard()
        connections.add(ours, heard, 1 << 20)
        theirs.sendall(unfinished(held_bytes))
        found.append((heard, theirs))
        gevent.sleep(0.05)
    wait_until(lambda: any(heard.lost for heard, _theirs in found))
    reasons = [list(heard.lost) for heard, _theirs in found]
    held_bytes = connections._budget.held_bytes
    for _heard, theirs in found:
        theirs.close()
    wait_until(lambda: all(heard.lost for heard, _theirs in found))
    connections.close()

    assert [["memory_budget"], [], [], []] == reasons
    assert 41_000 == held_bytes
    assert 0 == connections._budget.held_bytes


def test_what_waits_to_be_sent_counts_as_well(pair, connections):
    connection, _heard, target = pair()
    connection.send_frame(bytes(900_000))
    waiting_bytes = connections._budget.held_bytes
    received = 0
    target.setblocking(True)
    while received < 900_000:
        received += len(target.recv(1 << 20))
        gevent.sleep(0.001)

    assert waiting_bytes > 0
    wait_until(lambda: connections._budget.held_bytes == 0)


def test_fewer_than_one_a_turn_are_still_spread_one_by_one():
    called = []
    spread(called.append, [1, 2], 49.0)

    assert [1, 2] == called


@pytest.mark.parametrize(
    ("items", "per_s", "batches", "pause_s"),
    [(4, 49.0, [1] * 4, 1 / 49), (5, 100.0, [2, 2, 1], 0.02), (30, 1000.0, [20, 10], 0.02)],
)
def test_what_is_spread_comes_in_batches_of_a_fiftieth_of_a_second(
    monkeypatch, items, per_s, batches, pause_s
):
    done, slept = [], []

    def sleep(seconds):
        slept.append((len(done), seconds))

    monkeypatch.setattr(epoll_set, "gevent", type("Sleeper", (), {"sleep": staticmethod(sleep)}))
    spread(done.append, range(items), per_s)

    assert list(itertools.accumulate(batches)) == [count for count, _pause_s in slept]
    assert [pytest.approx(pause_s)] * len(batches) == [each_s for _count, each_s in slept]


def test_one_of_sixteen_connections_tells_when_the_kernel_received(pair):
    stamped = [pair()[0]._stamped is not None for _ in range(33)]

    assert [n % 16 == 0 for n in range(33)] == stamped
