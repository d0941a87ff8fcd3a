"""What a connection needs of whoever cuts its bytes into messages: the one interface of all transports."""

from collections.abc import Sequence
from typing import ClassVar, Protocol


class Reader(Protocol):
    """Cuts the bytes of one connection into messages, without a socket."""

    goodbye: ClassVar[bytes]
    """Sent before we leave; nothing where leaving says it all."""
    ping: ClassVar[bytes]
    """Asks the other end whether it is there; nothing where it cannot be asked."""
    end: str | None
    """Why nothing more is to be fed; None while more may come."""
    closing: tuple[int, str] | None
    """Code and reason by which the target ended it, if it said so."""
    pongs: int
    """Answers to pings."""

    @property
    def cursor(self) -> str | None:
        """Return where to go on after a loss, as the target told it; None where it tells nothing."""

    @property
    def held_bytes(self) -> int:
        """Return the size of what waits for the rest of a message."""

    def feed(self, data: bytes, replies: list[bytes]) -> Sequence[bytes]:
        """Return the messages that *data* completes; append what is to be sent to *replies*."""

    def framed(self, payload: bytes, *, is_binary: bool) -> bytes:
        """Return one message as it is sent."""
