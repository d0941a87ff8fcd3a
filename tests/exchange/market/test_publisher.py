import asyncio
from itertools import pairwise

import orjson
import pytest

from capacity.exchange.counters import Counters
from capacity.exchange.market.publisher import Publisher
from capacity.exchange.options import Burstiness, ExchangeOptions
from capacity.exchange.venue import Venue


class Follower:
    def __init__(self):
        self.received = []

    def deliver(self, frame):
        data = orjson.loads(frame[frame.index(b"{") :])["params"]["data"]
        self.received.append((asyncio.get_running_loop().time(), data))

    @property
    def updates(self):
        return self.received[1:]


@pytest.fixture
def published(in_no_time):
    """Return the followers of *names* after *for_s* seconds, and the counters."""

    def publish(names, *, for_s, during=None, **settings):
        options = ExchangeOptions(**({"instruments": 2} | settings))
        counters, followers = Counters(), {name: Follower() for name in names}

        async def run():
            venue = Venue(seed=1, instruments=options.instruments)
            publisher = Publisher(venue.markets, options, counters)
            publisher.start()
            for name, follower in followers.items():
                publisher.subscribe(name, follower)
            if during is not None:
                await during(publisher)
            await asyncio.sleep(for_s)
            publisher.stop()
            count = sum(len(follower.received) for follower in followers.values())
            await asyncio.sleep(10.0)

            assert count == sum(len(follower.received) for follower in followers.values())

        in_no_time(run())
        return list(followers.values()), counters

    return publish


def test_raw_channels_pass_every_update_and_others_keep_their_interval(published):
    (raw, throttled), _ = published(
        ["book.BTC-PERPETUAL.raw", "book.BTC-PERPETUAL.100ms"], for_s=1.0, updates_per_s=50.0
    )

    assert 50 == pytest.approx(len(raw.updates), abs=1)
    assert 10 == pytest.approx(len(throttled.updates), abs=1)


def test_nothing_is_lost_between_throttled_updates(published):
    (trades,), _ = published(["trades.BTC-PERPETUAL.100ms"], for_s=0.5, updates_per_s=100.0)
    numbers = [trade["trade_seq"] for _, data in trades.received for trade in data]

    assert len(numbers) > 30
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_slow_updates_are_passed_on_at_once(published):
    (throttled,), _ = published(["ticker.BTC-PERPETUAL.100ms"], for_s=0.9, updates_per_s=8.0)

    gaps_s = [later - earlier for (earlier, _), (later, _) in pairwise(throttled.updates)]

    assert pytest.approx([0.125] * len(gaps_s)) == gaps_s
    assert len(gaps_s) >= 5


def test_steady_instruments_take_turns(published):
    (bitcoin, ether), _ = published(
        ["quote.BTC-PERPETUAL", "quote.ETH-PERPETUAL"], for_s=0.55, updates_per_s=5.0
    )

    assert ether.updates[1][0] - bitcoin.updates[1][0] == pytest.approx(0.1)


def test_books_of_random_arrivals_still_chain(published):
    (book,), _ = published(
        ["book.BTC-PERPETUAL.100ms"], for_s=0.7, updates_per_s=60.0, burstiness=Burstiness.POISSON
    )
    ids = [data["change_id"] for _, data in book.received]

    assert [data["prev_change_id"] for _, data in book.updates] == ids[:-1]
    assert len(ids) > 3


def test_only_what_exists_is_offered():
    venue = Venue(seed=1, instruments=2)
    publisher = Publisher(venue.markets, ExchangeOptions(), Counters())

    assert publisher.offers("book.ETH-PERPETUAL.raw")
    assert not publisher.offers("book.SOL-PERPETUAL.raw")
    assert not publisher.offers("book.ETH-PERPETUAL.hourly")


def test_who_leaves_hears_no_more_even_what_was_held_back(published):
    follower = Follower()

    async def come_and_go(publisher):
        publisher.subscribe("ticker.ETH-PERPETUAL.agg2", follower)
        await asyncio.sleep(0.2)
        publisher.unsubscribe("ticker.ETH-PERPETUAL.agg2", follower)
        publisher.subscribe("ticker.ETH-PERPETUAL.agg2", follower)
        publisher.unsubscribe("ticker.ETH-PERPETUAL.agg2", follower)

    published([], for_s=0.1, during=come_and_go, updates_per_s=20.0)

    # The state on joining, twice, and the first update; the second was two seconds off.
    assert len(follower.received) == 3


def test_an_exchange_that_fell_behind_slips_instead_of_catching_up(published):
    async def block(_publisher):
        await asyncio.sleep(0)
        asyncio.get_running_loop().passed_s += 1.2  # The loop is held up.

    (quote, _), counters = published(
        ["quote.BTC-PERPETUAL", "quote.ETH-PERPETUAL"], for_s=0.2, during=block, updates_per_s=50.0
    )

    # Each of two instruments was late by what was over of 1.2 s when its update was due.
    assert 2 < counters.slipped_s <= 2.4
    assert len(quote.updates) < 20
