"""Who looks on while one connection is tried."""

from collections.abc import Sequence
from typing import Protocol

from capacity.workload.reception import Reception


class Watcher(Protocol):
    """Sees the conversation as it goes on."""

    def sent(self, payload: bytes) -> None:
        """See what we said."""

    def heard(self, payload: bytes, receptions: Sequence[Reception]) -> None:
        """See what the target said, and what was made of it."""


class NoWatcher:
    """Looks at nothing."""

    def sent(self, payload: bytes) -> None:
        pass

    def heard(self, payload: bytes, receptions: Sequence[Reception]) -> None:
        pass
