"""Waits for the steps that a dialect has between the handshake and the subscriptions."""

import gevent
from gevent.event import AsyncResult

from capacity.loadgen.protocol.counters import LOGIN_REFUSED
from capacity.workload.conversation import Conversation

LOST = "handshake_opening_lost"
"""The target ended the connection before it had let it in, without a word."""
TIMEOUT = "handshake_opening_timeout"


class OpeningSteps:
    """Is told what comes meanwhile by whoever reads the connection."""

    __slots__ = ("_ended",)

    def __init__(self) -> None:
        self._ended: AsyncResult[str | None] = AsyncResult()

    def wait(self, timeout_s: float) -> str | None:
        """Block the calling greenlet; return None when they are done, or why they failed."""
        try:
            return self._ended.get(timeout=timeout_s)
        except gevent.Timeout:
            return TIMEOUT

    def note(self, conversation: Conversation) -> None:
        """Take it that a message came."""
        if self._ended.ready():
            return
        if conversation.refusal is not None:
            self._ended.set(LOGIN_REFUSED)
        elif not conversation.is_opening:
            self._ended.set(None)

    def note_lost(self, reason: str, closing: tuple[int, str] | None) -> None:
        """Take it that the connection ended, with what the target said at its end.

        Who was refused before that stays refused; *reason* counts where the end was our own doing.
        """
        if self._ended.ready() and self._ended.value is not None:
            return
        ended = LOST if reason.startswith("connection_") else reason
        self._ended.set(ended if closing is None else f"handshake_closed_{closing[0]}")
