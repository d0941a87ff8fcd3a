"""Moves the markets on time and tells the feeds.

One timer for each instrument; a feed with an interval gets a timer of its own while it holds
something back. Times are the event loop's.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from random import Random

from capacity.exchange.counters import Counters
from capacity.exchange.market.channels import parsed_channel
from capacity.exchange.market.contents import Content, content_of
from capacity.exchange.market.feed import Feed, Followable, Subscriber
from capacity.exchange.market.market import Market
from capacity.exchange.move_times import arrival_times_s
from capacity.exchange.options import ExchangeOptions

SLIP_AFTER_S = 1.0
"""Later than this, an update is not made up for: a venue conflates, it does not catch up."""

_ROUNDING_S = 1e-6


class _Pace:
    """The schedule of one instrument: arrivals, and the loop time they count from."""

    __slots__ = ("arrivals", "due_s", "market", "origin_s")

    def __init__(self, market: Market, arrivals: Iterator[float], origin_s: float) -> None:
        self.market = market
        self.arrivals = arrivals
        self.origin_s = origin_s
        self.due_s = 0.0


class Publisher:
    def __init__(
        self, markets: Mapping[str, Market], options: ExchangeOptions, counters: Counters
    ) -> None:
        self._markets = markets
        self._options = options
        self._counters = counters
        self._feeds: dict[str, dict[str, Feed]] = {name: {} for name in markets}
        self._moves: dict[str, asyncio.TimerHandle] = {}
        self._flushes: dict[str, asyncio.TimerHandle] = {}

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        options = self._options
        for index, (name, market) in enumerate(self._markets.items()):
            arrivals = arrival_times_s(
                options.burstiness,
                rate_per_s=options.updates_per_s,
                phase=index / len(self._markets),
                rng=Random(f"{options.seed}:{name}:arrivals"),  # noqa: S311 - a market, not a secret
            )
            self._schedule_move(_Pace(market, arrivals, loop.time()))

    def stop(self) -> None:
        for timer in (*self._moves.values(), *self._flushes.values()):
            timer.cancel()

    def offers(self, name: str) -> bool:
        channel = parsed_channel(name)
        return channel is not None and channel.instrument in self._markets

    def subscribe(self, name: str, subscriber: Subscriber) -> None:
        """Let *subscriber* follow the channel called *name*, which must be offered."""
        channel = parsed_channel(name)
        assert channel is not None
        self.follow(channel, lambda market: content_of(channel, market), subscriber)

    def unsubscribe(self, name: str, subscriber: Subscriber) -> None:
        """Undo `subscribe`."""
        self.leave(name.split(".", 2)[1], name, subscriber)

    def follow(
        self, channel: Followable, content: Callable[[Market], Content], subscriber: Subscriber
    ) -> None:
        """Let *subscriber* follow *channel*; its *content* is made where nobody follows it yet."""
        feeds = self._feeds[channel.instrument]
        if channel.name not in feeds:
            feeds[channel.name] = Feed(channel, content(self._markets[channel.instrument]))
        feeds[channel.name].join(subscriber)

    def leave(self, instrument: str, name: str, subscriber: Subscriber) -> None:
        """Undo `follow`; a feed that nobody follows is dropped."""
        feeds = self._feeds[instrument]
        followers = feeds[name].followers
        del followers[subscriber]
        if not followers:
            del feeds[name]
            self._forget_flush(name)

    def burst(self, updates: int) -> None:
        """Move every market so many times at once and tell each move, whatever the intervals."""
        now_s = asyncio.get_running_loop().time()
        for name, feeds in self._feeds.items():
            for _ in range(updates):
                self._markets[name].advance()
                for feed in feeds.values():
                    feed.absorb()
                    feed.publish()
            for feed in feeds.values():
                feed.published_s = now_s
                self._forget_flush(feed.channel.name)

    def _forget_flush(self, name: str) -> None:
        timer = self._flushes.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _schedule_move(self, pace: _Pace) -> None:
        pace.due_s = pace.origin_s + next(pace.arrivals)
        loop = asyncio.get_running_loop()
        self._moves[pace.market.instrument.name] = loop.call_at(pace.due_s, self._move, pace)

    def _move(self, pace: _Pace) -> None:
        late_s = asyncio.get_running_loop().time() - pace.due_s
        if late_s > SLIP_AFTER_S:
            pace.origin_s += late_s
            pace.due_s += late_s
            self._counters.slipped_s += late_s
        pace.market.advance()
        for feed in self._feeds[pace.market.instrument.name].values():
            feed.absorb()
            self._publish_when_allowed(feed, pace.due_s)
        self._schedule_move(pace)

    def _publish_when_allowed(self, feed: Feed, moved_s: float) -> None:
        name = feed.channel.name
        if name in self._flushes:
            return
        allowed_s = feed.published_s + feed.channel.interval_s
        if moved_s >= allowed_s - _ROUNDING_S:
            feed.published_s = moved_s
            feed.publish()
        else:
            loop = asyncio.get_running_loop()
            self._flushes[name] = loop.call_at(allowed_s, self._flush, feed, allowed_s)

    def _flush(self, feed: Feed, due_s: float) -> None:
        del self._flushes[feed.channel.name]
        feed.published_s = due_s
        feed.publish()
