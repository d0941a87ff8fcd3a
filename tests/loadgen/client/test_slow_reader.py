"""A client that reads below the publish rate, on real sockets: what it holds up is the target's."""

import runpy
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.connection import BYTES_PER_READ
from capacity.loadgen.connections import ConnectionSet
from capacity.loadgen.fleet import Fleet, Orders, Stage
from capacity.loadgen.slow_feed import DROPPED, SlowFeed

SMALL = runpy.run_path(str(Path(__file__).with_name("small_target.py")))
BTC, ETH = SMALL["BTC"], SMALL["ETH"]
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]
UPDATE = "x" * 1000
MORE_THAN_BUFFERS = 8000
"""Updates: what the kernel keeps of them for both ends is some 3 MB on loopback."""


@pytest.fixture
def target():
    target = SMALL["SmallTarget"]()
    yield target
    target.close()


@pytest.fixture
def fleet_of(target):
    fleets = []

    def fleet_with(subscriptions=2, **orders):
        fleet = Fleet(Orders(**SMALL["orders_for"](target.port, slow_readers_ratio=1.0, **orders)))
        fleet.turn_to(Stage(**stage_of(subscriptions=subscriptions)))
        fleets.append(fleet)
        return fleet

    yield fleet_with
    for fleet in fleets:
        fleet.close()


@pytest.fixture
def losses():
    return []


@pytest.fixture
def opened(target, fleet_of, losses):
    """Open one slow reader; return it, the target's end of it and its fleet."""

    def open_one(subscriptions=2, **orders):
        fleet = fleet_of(subscriptions, **orders)
        (feed,) = fleet.join(1, lambda *, at_once=False: losses.append(at_once))
        feed.open()
        wait_until(lambda: fleet.ledger.handshake_time)
        return feed, target.clients[0], fleet

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
    fleet = Fleet(Orders(**SMALL["orders_for"](target.port, slow_readers_ratio=ratio)))
    feeds = fleet.join(8, lambda: None)
    fleet.close()

    assert slow == [feed.index for feed in feeds if isinstance(feed, SlowFeed)]


def test_what_a_slow_reader_does_not_read_holds_up_the_target(opened):
    _feed, client, fleet = opened()
    publishing = publish_too_much(client)
    gevent.sleep(0.5)

    assert not publishing.ready()
    assert 0 == fleet.ledger.deliveries
    publishing.kill()


def test_a_slow_reader_reads_at_its_pace(opened, monkeypatch):
    _feed, client, fleet = opened(slow_read_bytes_per_s=40_960.0)
    publishing = publish_too_much(client)
    reads = []
    read = fleet.connections.sip
    monkeypatch.setattr(ConnectionSet, "sip", lambda _, each: (reads.append(each), read(each)))
    early = gevent.spawn_later(0.5, lambda: (len(reads), fleet.ledger.delivered_bytes))
    wait_until(lambda: fleet.ledger.delivered_bytes > 40_960)
    publishing.kill()
    pieces, delivered_bytes = early.get(timeout=0)

    # Ten pieces a second: five in the first half, and what was due at its beginning and end.
    assert pieces <= 7
    assert delivered_bytes <= pieces * BYTES_PER_READ


def test_what_comes_late_or_never_is_the_slow_readers_own_doing(opened):
    _feed, client, fleet = opened(slow_read_bytes_per_s=100_000.0)
    client.publish(BTC, seq=1)
    client.publish(BTC, seq=9)
    wait_until(lambda: fleet.ledger.deliveries == 2)

    assert (0, [], []) == (fleet.ledger.gaps, fleet.ledger.delivery_delay, fleet.ledger.queueing)


def test_a_slow_reader_that_is_dropped_is_no_lost_connection_and_comes_back_at_once(opened, losses):
    _feed, client, fleet = opened()
    client.drop()
    wait_until(lambda: losses)

    assert ([True], 0, {DROPPED: 1}) == (losses, fleet.ledger.lost, fleet.ledger.failures)


def test_without_channels_a_slow_reader_reads_like_all_others(opened):
    feed, client, fleet = opened()
    for number in range(200):
        client.publish(BTC, change_id=number, pad=UPDATE)
    gevent.sleep(0.2)
    before = fleet.ledger.deliveries
    fleet.turn_to(Stage(**stage_of(subscriptions=0)))
    wait_until(lambda: fleet.ledger.deliveries == 200)
    wait_until(lambda: not client.channels)
    client.drop()
    wait_until(lambda: not feed.is_open)

    assert (0, 1) == (before, fleet.ledger.lost)


@pytest.mark.parametrize("before", [0, 2])
def test_a_new_stage_with_channels_slows_it_down(opened, before):
    _feed, client, fleet = opened(before)
    fleet.turn_to(Stage(**stage_of(subscriptions=0)))
    wait_until(lambda: not client.channels)
    fleet.turn_to(Stage(**stage_of(subscriptions=1)))
    wait_until(lambda: client.channels == {BTC})
    gevent.sleep(0.1)
    deliveries = fleet.ledger.deliveries
    client.publish(BTC, change_id=1)
    gevent.sleep(0.2)

    assert deliveries == fleet.ledger.deliveries


def test_what_the_target_says_at_its_end_is_read_even_slowly(opened, losses):
    _feed, client, fleet = opened()
    client.publish(BTC, change_id=1)
    gevent.sleep(0.1)
    unread = fleet.ledger.deliveries
    client.drop()
    wait_until(lambda: losses)

    assert (0, 1) == (unread, fleet.ledger.deliveries)
