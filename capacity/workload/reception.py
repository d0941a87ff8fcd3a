"""What one received frame meant."""

from enum import Enum, auto
from typing import NamedTuple


class Kind(Enum):
    DATA = auto()
    ACK = auto()
    """A request was answered with yes."""
    REJECTED = auto()
    """A request was refused, as a whole or for some of its channels."""
    HEARTBEAT = auto()
    IGNORED = auto()
    UNMATCHED = auto()
    """The dialect has no rule for this frame."""


class Reception(NamedTuple):
    kind: Kind
    channel: str | None = None
    published_at_s: float | None = None
    """Epoch seconds of the target's clock; of the last update if the frame has several."""
    missed: int = 0
    """Updates that are missing before this frame, by sequence number."""
    replies: tuple[bytes, ...] = ()
    """Frames to send back."""
    problem: str | None = None
    """What is wrong with the frame, as a sentence's end."""


IGNORED = Reception(Kind.IGNORED)
HEARTBEAT = Reception(Kind.HEARTBEAT)
_SHOWN = 120


def unmatched(why: str, payload: bytes | bytearray | memoryview) -> Reception:
    """Return the reception of a frame without a rule, with the beginning of its payload."""
    shown = bytes(payload[:_SHOWN]).decode(errors="backslashreplace")
    return Reception(Kind.UNMATCHED, problem=f"{why}: {shown}")
