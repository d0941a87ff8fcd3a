"""One channel and who follows it: each update is written down once and sent to all."""

import time
from typing import Protocol

import orjson

from capacity.exchange.frames import text_frame
from capacity.exchange.market.contents import Content


class Subscriber(Protocol):
    def deliver(self, frame: bytes) -> None: ...


class Followable(Protocol):
    """What a feed is of, in the words of one venue."""

    @property
    def name(self) -> str:
        """Return what tells it from all others of the exchange."""
        ...

    @property
    def instrument(self) -> str: ...

    @property
    def interval_s(self) -> float:
        """Return the least time between two updates; 0 passes every one."""
        ...

    @property
    def envelope(self) -> tuple[bytes, bytes]:
        """Return what stands before and behind the data of an update."""
        ...


class Feed:
    """Followers of *channel* in order of arrival, and when they were last told."""

    __slots__ = ("_head", "_tail", "channel", "content", "followers", "published_s")

    def __init__(self, channel: Followable, content: Content) -> None:
        self.channel = channel
        self.content = content
        self.followers: dict[Subscriber, None] = {}
        self.published_s = -float("inf")
        self._head, self._tail = channel.envelope

    def join(self, subscriber: Subscriber) -> None:
        """Add *subscriber*; what a newcomer must know is delivered to it at once."""
        self.followers[subscriber] = None
        data = self.content.first(_now_ms())
        if data is not None:
            subscriber.deliver(self._frame(data))

    def absorb(self) -> None:
        self.content.absorb(_now_ms())

    def publish(self) -> None:
        data = self.content.update(_now_ms())
        if data is None:
            return
        frame = self._frame(data)
        for follower in self.followers:
            follower.deliver(frame)

    def _frame(self, data: object) -> bytes:
        return text_frame(b"%b%b%b" % (self._head, orjson.dumps(data), self._tail))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
