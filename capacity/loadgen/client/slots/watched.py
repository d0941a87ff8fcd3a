"""What a connection slot shows to whoever asks whether its connection is served, and not only open."""

import math
from collections.abc import Mapping
from typing import Any

from capacity.loadgen.client.arrivals.away import Drilled
from capacity.loadgen.wire.connection import Connection
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.redaction import redacted_words
from capacity.workload.dialects.values import NOTHING

ONE_MOMENT_S = 0.05
"""Updates within so long, before or after (the clock may be set), are one arrival: as a batch is."""


class Watched(Drilled):
    """A slot as it is watched on a plateau."""

    __slots__ = (
        "_born_s",
        "_connection",
        "_conversation",
        "_pongs",
        "_served_s",
        "_values",
        "arrivals",
        "index",
    )

    def __init__(self, index: int) -> None:
        super().__init__()
        self._connection: Connection | None = None
        self._conversation: Conversation | None = None
        self._values: Mapping[str, Any] = NOTHING
        """That only this connection has, since it was opened last."""
        self._born_s = math.nan
        self.index = index
        self.arrivals = 0
        """Moments at which updates came, since the plateau began."""
        self._served_s = -math.inf
        self._pongs: int | None = None
        """That had come when the ping of this plateau was sent; None before."""

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    @property
    def is_judged(self) -> bool:
        """Whether its silence would be the target's doing."""
        return self._connection is not None

    @property
    def born_s(self) -> float:
        """Return when this connection was opened; another one has another time."""
        return self._born_s

    @property
    def is_following(self) -> bool:
        """Whether it follows a channel, or waits for the confirmation of one."""
        conversation = self._conversation
        return conversation is not None and bool(conversation.live or conversation.pending)

    @property
    def unconfirmed(self) -> int:
        """Return how many subscriptions the target has to confirm, and neither did nor refused."""
        conversation = self._conversation
        if self._connection is None or conversation is None:
            return 0
        return conversation.unconfirmed

    @property
    def has_answered(self) -> bool | None:
        """Whether the ping of this plateau was answered; None if there was none."""
        if self._connection is None or self._pongs is None:
            return None
        return self._connection.reader.pongs > self._pongs

    def without_secrets(self, said: str) -> str:
        """Return what the target said without what this connection had told it."""
        kept = NOTHING if self._conversation is None else self._conversation.kept
        return redacted_words(said, {**self._values, **kept})

    def begin_plateau(self) -> None:
        """Count arrivals anew."""
        self.arrivals, self._pongs = 0, None

    def ping(self) -> None:
        """Ask the other end whether it is there (RFC 6455, section 5.5.2), where it can be asked."""
        if self._connection is not None and self._connection.reader.ping:
            self._pongs = self._connection.reader.pongs
            self._connection.send_frame(self._connection.reader.ping)
