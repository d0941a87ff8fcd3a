import time

import orjson

from capacity.exchange.market.channels import parsed_channel
from capacity.exchange.market.contents import content_of
from capacity.exchange.market.feed import Feed
from capacity.exchange.market.instruments import listed_instruments
from capacity.exchange.market.market import Market


class Follower:
    def __init__(self):
        self.frames = []

    def deliver(self, frame):
        self.frames.append(frame)

    def notifications(self):
        return [orjson.loads(frame[frame.index(b"{") :]) for frame in self.frames]


def feed_of(name):
    market = Market(listed_instruments(1)[0], seed=1)
    channel = parsed_channel(name)
    return Feed(channel, content_of(channel, market)), market


def test_all_followers_are_sent_the_same_bytes():
    feed, _ = feed_of("ticker.BTC-PERPETUAL.raw")
    one, other = Follower(), Follower()
    feed.join(one)
    feed.join(other)
    feed.publish()

    assert one.frames[1] is other.frames[1]


def test_who_joins_learns_the_state_and_nobody_else_does():
    feed, _ = feed_of("book.BTC-PERPETUAL.raw")
    early, late = Follower(), Follower()
    feed.join(early)
    feed.join(late)

    assert [n["params"]["data"]["type"] for n in late.notifications()] == ["snapshot"]
    assert len(early.frames) == 1


def test_a_notification_names_its_channel_and_the_moment_it_was_sent():
    feed, market = feed_of("book.BTC-PERPETUAL.100ms")
    follower = Follower()
    feed.join(follower)
    market.advance()
    before_ms = time.time_ns() // 1_000_000
    feed.publish()
    after_ms = time.time_ns() // 1_000_000
    notification = follower.notifications()[-1]

    assert (notification["jsonrpc"], notification["method"]) == ("2.0", "subscription")
    assert notification["params"]["channel"] == "book.BTC-PERPETUAL.100ms"
    assert notification["params"]["data"]["type"] == "change"
    sent_ms = notification["params"]["data"]["timestamp"]
    assert before_ms <= sent_ms <= after_ms


def test_trades_tell_nothing_to_who_joins():
    feed, market = feed_of("trades.BTC-PERPETUAL.raw")
    follower = Follower()
    feed.join(follower)
    assert follower.frames == []
    market.advance()
    feed.absorb()
    feed.publish()

    assert [n["params"]["data"][0]["trade_seq"] for n in follower.notifications()] == [
        market.trade_seq
    ]
