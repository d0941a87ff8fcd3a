"""One channel and who follows it: each update is written down once and sent to all."""

import time
from typing import Protocol

import orjson

from capacity.exchange.frames import text_frame
from capacity.exchange.market.channels import Channel
from capacity.exchange.market.contents import Content


class Subscriber(Protocol):
    def deliver(self, frame: bytes) -> None: ...


class Feed:
    """Followers of *channel* in order of arrival, and when they were last told."""

    __slots__ = ("_head", "channel", "content", "followers", "published_s")

    def __init__(self, channel: Channel, content: Content) -> None:
        self.channel = channel
        self.content = content
        self.followers: dict[Subscriber, None] = {}
        self.published_s = -float("inf")
        name = orjson.dumps(channel.name)
        self._head = (
            b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":%b,"data":' % name
        )

    def join(self, subscriber: Subscriber) -> None:
        """Add *subscriber*; what a newcomer must know is delivered to it at once."""
        self.followers[subscriber] = None
        data = self.content.first(_now_ms())
        if data is not None:
            subscriber.deliver(self._frame(data))

    def absorb(self) -> None:
        self.content.absorb(_now_ms())

    def publish(self) -> None:
        frame = self._frame(self.content.update(_now_ms()))
        for follower in self.followers:
            follower.deliver(frame)

    def _frame(self, data: object) -> bytes:
        return text_frame(b"%b%b}}" % (self._head, orjson.dumps(data)))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
