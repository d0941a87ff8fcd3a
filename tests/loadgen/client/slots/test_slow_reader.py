"""A client that reads below the publish rate, on real sockets: what it holds up is the target's."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.slots import slow_reader
from capacity.loadgen.client.slots.slow_reader import DROPPED, SlowReader, read_slices_forever
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.loadgen.wire.connection import BYTES_PER_READ
from capacity.loadgen.wire.epoll_set import ConnectionSet

SMALL = runpy.run_path(str(Path(__file__).parents[2] / "small_target.py"))
BTC, ETH = SMALL["BTC"], SMALL["ETH"]
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]
UPDATE = "x" * 1000
MORE_THAN_BUFFERS = 8000
"""Updates: what the kernel keeps of them for both ends is some 3 MB on loopback."""


@pytest.fixture
def clients_of(target):
    made = []

    def clients_with(subscriptions=2, **orders):
        clients = Clients(
            RunInstructions(**SMALL["orders_for"](target.port, slow_readers_ratio=1.0, **orders))
        )
        clients.turn_to(Stage(**stage_of(subscriptions=subscriptions)))
        made.append(clients)
        return clients

    yield clients_with
    for clients in made:
        clients.close()


@pytest.fixture
def losses():
    return []


@pytest.fixture
def opened(target, clients_of, losses):
    """Open one slow reader; return it, the target's end of it and its clients."""

    def open_one(subscriptions=2, **orders):
        clients = clients_of(subscriptions, **orders)
        (slot,) = clients.join(1, lambda *, at_once=False: losses.append(at_once))
        slot.open()
        wait_until(lambda: clients.counters.handshake_time)
        return slot, target.clients[0], clients

    return open_one


def publish_too_much(client):
    """Begin to publish more than an end that does not read lets through; return the greenlet."""

    def publish():
        for n in range(MORE_THAN_BUFFERS):
            client.publish(BTC, change_id=n, pad=UPDATE)

    return gevent.spawn(publish)


@pytest.mark.parametrize(
    ("ratio", "slow"),
    [(0.0, []), (0.25, [3, 7]), (0.5, [1, 3, 5, 7]), (1.0, list(range(8)))],
)
def test_slow_readers_are_spread_evenly_over_the_connections(target, ratio, slow):
    clients = Clients(RunInstructions(**SMALL["orders_for"](target.port, slow_readers_ratio=ratio)))
    slots = clients.join(8, lambda: None)
    clients.close()

    assert slow == [slot.index for slot in slots if isinstance(slot, SlowReader)]


def test_what_a_slow_reader_does_not_read_holds_up_the_target(opened):
    _slot, client, clients = opened()
    publishing = publish_too_much(client)
    gevent.sleep(0.5)

    assert not publishing.ready()
    assert 0 == clients.counters.deliveries
    publishing.kill()


def test_a_slow_reader_reads_at_its_pace(opened, monkeypatch):
    _slot, client, clients = opened(slow_read_bytes_per_s=40_960.0)
    publishing = publish_too_much(client)
    reads = []
    read = clients.connections.read_slice
    monkeypatch.setattr(
        ConnectionSet, "read_slice", lambda _, each: (reads.append(each), read(each))
    )
    early = gevent.spawn_later(0.5, lambda: (len(reads), clients.counters.delivered_bytes))
    wait_until(lambda: clients.counters.delivered_bytes > 40_960)
    publishing.kill()
    pieces, delivered_bytes = early.get(timeout=0)

    # Ten pieces a second: five in the first half, and what was due at its beginning and end.
    assert pieces <= 7
    assert delivered_bytes <= pieces * BYTES_PER_READ


def test_what_comes_late_or_never_is_the_slow_readers_own_doing(opened):
    _slot, client, clients = opened(slow_read_bytes_per_s=100_000.0)
    client.publish(BTC, seq=1)
    client.publish(BTC, seq=9)
    wait_until(lambda: clients.counters.deliveries == 2)

    assert (0, [], []) == (
        clients.counters.gaps,
        clients.counters.delivery_delay,
        clients.counters.queueing,
    )


def test_a_slow_reader_that_is_dropped_is_no_lost_connection_and_comes_back_at_once(opened, losses):
    _slot, client, clients = opened()
    client.drop()
    wait_until(lambda: losses)

    assert ([True], 0, {DROPPED: 1}) == (losses, clients.counters.lost, clients.counters.failures)


def test_without_channels_a_slow_reader_reads_like_all_others(opened):
    slot, client, clients = opened()
    for number in range(200):
        client.publish(BTC, change_id=number, pad=UPDATE)
    gevent.sleep(0.2)
    before = clients.counters.deliveries
    clients.turn_to(Stage(**stage_of(subscriptions=0)))
    wait_until(lambda: clients.counters.deliveries == 200)
    wait_until(lambda: not client.channels)
    client.drop()
    wait_until(lambda: not slot.is_open)

    assert (0, 1) == (before, clients.counters.lost)


@pytest.mark.parametrize("before", [0, 2])
def test_a_new_stage_with_channels_slows_it_down(opened, before):
    _slot, client, clients = opened(before)
    clients.turn_to(Stage(**stage_of(subscriptions=0)))
    wait_until(lambda: not client.channels)
    clients.turn_to(Stage(**stage_of(subscriptions=1)))
    wait_until(lambda: client.channels == {BTC})
    gevent.sleep(0.1)
    deliveries = clients.counters.deliveries
    client.publish(BTC, change_id=1)
    gevent.sleep(0.2)

    assert deliveries == clients.counters.deliveries


def test_what_the_target_says_at_its_end_is_read_even_slowly(opened, losses):
    _slot, client, clients = opened()
    client.publish(BTC, change_id=1)
    gevent.sleep(0.1)
    unread = clients.counters.deliveries
    client.drop()
    wait_until(lambda: losses)

    assert (0, 1) == (unread, clients.counters.deliveries)


def test_what_was_read_before_it_was_closed_slows_nothing_down(opened):
    slot, _client, clients = opened()
    slot.follow()
    slot.close()
    slot.on_messages(None, [b'{"hello": 1}'])

    assert (False, 1) == (slot.is_open, clients.counters.unmatched)


@pytest.mark.parametrize(
    ("reading_s", "sleeps_s"), [(0.0, [0.1] * 3), (0.05, [0.05] * 3), (0.25, [0.0] * 3)]
)
def test_pieces_are_read_once_an_interval_and_at_once_by_who_is_late(
    monkeypatch, reading_s, sleeps_s
):
    now_s, slept = [100.0], []

    def held():
        now_s[0] += reading_s
        return ()

    def sleep(pause_s):
        slept.append(pause_s)
        now_s[0] += pause_s
        if len(slept) == 3:
            raise StopIteration

    monkeypatch.setattr(slow_reader, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    monkeypatch.setattr(slow_reader, "gevent", SimpleNamespace(sleep=sleep))
    with pytest.raises(StopIteration):
        read_slices_forever(held, 0.1)

    assert pytest.approx(sleeps_s) == slept


@pytest.mark.parametrize(("count", "per_s"), [(20, 220.0), (1, 11.0)])
def test_all_slow_readers_are_read_a_little_faster_than_once_an_interval(monkeypatch, count, per_s):
    asked = []

    def spread(_action, items, items_per_s):
        asked.append((len(items), items_per_s))
        raise StopIteration

    monkeypatch.setattr(slow_reader, "spread", spread)
    others = [object()] * 3
    with pytest.raises(StopIteration):
        read_slices_forever(
            lambda: [*others, *(SlowReader.__new__(SlowReader) for _ in range(count))], 0.1
        )

    assert [(count, pytest.approx(per_s))] == asked
