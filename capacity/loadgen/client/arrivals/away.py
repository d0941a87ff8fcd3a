"""What a storm drill does with a connection slot: it takes the connection away and brings it back."""

from abc import ABC, abstractmethod
from typing import Protocol


class Away(Protocol):
    """Who brings a connection back that was cut in a drill; must not block."""

    def served(self) -> None:
        """Take it that the first update has come."""

    def lost(self, reason: str) -> None:
        """Take it that the target ended the connection again."""


class Drilled(ABC):
    """A slot as a drill sees it."""

    __slots__ = ("away", "churns", "upgraded_at_s")

    def __init__(self) -> None:
        self.churns = False
        """Is of those that are replaced while a step is held, where not all are."""
        self.away: Away | None = None
        """Is told what becomes of this connection while a drill has it; else whoever owns the slot."""
        self.upgraded_at_s: float | None = None
        """When the kernel received the answer to the last upgrade, epoch seconds, where it was asked."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether there is a connection."""

    @property
    def is_missing(self) -> bool:
        """Whether whoever owns this slot has to open it."""
        return not self.is_open and self.away is None

    @abstractmethod
    def open(self) -> None:
        """Connect and subscribe. Blocks the calling greenlet; raises HandshakeError."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection, if there is one."""

    @abstractmethod
    def renew(self) -> None:
        """Close, and have whoever owns this slot open it again at once."""

    def hand_over(self, away: Away) -> None:
        """Close, and leave it to *away* to open this connection again."""
        self.away = away
        self.close()

    def hand_back(self) -> None:
        """Belong again to whoever owns this slot, who opens it at once where it is not open."""
        self.away = None
        if not self.is_open:
            self.renew()

    def tell_served(self) -> None:
        """Tell the drill that has this connection, if one has, that it is served again."""
        if self.away is not None:
            self.away.served()

    def tell_lost(self, reason: str) -> bool:
        """Tell the drill that has this connection that it is lost again; return whether one has it."""
        if self.away is not None:
            self.away.lost(reason)
        return self.away is not None
