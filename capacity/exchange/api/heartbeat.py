"""The server's heartbeat on one connection.

Each interval the client is sent a heartbeat and a test_request; a test_request that stays
unanswered for the grace period ends the connection.
"""

import asyncio
from collections.abc import Callable

import orjson

from capacity.exchange.frames import text_frame


def _notice(kind: str) -> bytes:
    return text_frame(
        orjson.dumps({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": kind}})
    )


HEARTBEAT = _notice("heartbeat")
TEST_REQUEST = _notice("test_request")


class Heartbeat:
    """Beats from its construction until it is stopped or goes unanswered."""

    __slots__ = ("_beat", "_deadline", "_end", "_grace_s", "_interval_s", "_says", "_send")

    def __init__(
        self,
        *,
        interval_s: float,
        grace_s: float,
        send: Callable[[bytes], None],
        end: Callable[[], None],
        says: tuple[bytes, ...] = (HEARTBEAT, TEST_REQUEST),
    ) -> None:
        """Send the frames that it *says* each interval; the last of them wants an answer."""
        self._says = says
        self._interval_s = interval_s
        self._grace_s = grace_s
        self._send = send
        self._end = end
        self._deadline: asyncio.TimerHandle | None = None
        self._beat = self._next_beat()

    def answered(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def stop(self) -> None:
        self._beat.cancel()
        self.answered()

    def _next_beat(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._interval_s, self._on_beat)

    def _on_beat(self) -> None:
        self._beat = self._next_beat()
        for frame in self._says:
            self._send(frame)
        if self._deadline is None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._grace_s, self._end)
