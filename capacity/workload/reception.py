"""What one received frame meant."""

from enum import Enum, auto
from typing import NamedTuple

from capacity.domain.words import printable


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
    updates: int = 0
    """How many updates it has."""
    numbered: int = 0
    """Those of them whose number could be read, so that what is missing before them is known."""
    refused: int = 0
    """Channels that an answer refuses."""
    mismatched: int = 0
    """Of the missing updates, those that a checksum told which does not fit."""


IGNORED = Reception(Kind.IGNORED)
HEARTBEAT = Reception(Kind.HEARTBEAT)
OPAQUE = Reception(Kind.DATA, updates=1)
_SHOWN = 120
_SHOWN_BYTES = 16


def unmatched(why: str, payload: bytes | bytearray | memoryview) -> Reception:
    """Return the reception of a frame without a rule, with the beginning of its payload."""
    return Reception(Kind.UNMATCHED, problem=f"{why}: {shown(payload)}")


def shown(payload: bytes | bytearray | memoryview) -> str:
    """Return how a payload begins: its text, or its first bytes where most of it is none."""
    head = bytes(payload[:_SHOWN])
    text = head.decode(errors="backslashreplace")
    if head.isascii() and text.isprintable():
        return text
    letters = head.decode(errors="ignore")
    if 2 * sum(letter.isprintable() or letter.isspace() for letter in letters) < len(head):
        return f"{len(payload)} bytes: {head[:_SHOWN_BYTES].hex(' ')}"
    return printable(text, 4 * _SHOWN)
