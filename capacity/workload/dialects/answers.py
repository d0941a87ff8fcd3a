"""How the answers to requests of a dialect look: which is whose, and what a refusal is."""

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from capacity.workload.dialects.matching import (
    MISSING,
    Getter,
    Matcher,
    Test,
    getter,
    matches,
    name_getter,
)
from capacity.workload.dialects.template import PLACE

VALIDATION = {"extra": "forbid", "use_attribute_docstrings": True}
"""How a validator is to treat these classes: unknown keys are errors, docstrings describe keys."""
_SHOWN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class AckError:
    __pydantic_config__: ClassVar = VALIDATION
    where: Matcher
    """Tells a refusal from a confirmation."""
    code: str | None = None
    """Path of the error code."""
    message: str | None = None
    """Path of the error message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    __pydantic_config__: ClassVar = VALIDATION
    where: Matcher
    """Tells answers to requests; an entry "{id:int}" or "{id:str}" carries the request's id,
    without one an answer belongs to the oldest open request."""
    ok: Matcher = field(default_factory=dict)
    """What a confirmation has; an answer with neither this nor the error is a refusal."""
    accepted: str | None = None
    """Path of the list of accepted channels; those missing from it were refused."""
    channel: str | None = None
    """Name (a path, or paths in braces) of the one channel that an answer is about, where a request
    for several has an answer for each."""
    alias: str | None = None
    """Path of the name or number that updates carry in place of the channel's name, where a
    confirmation of subscribe hands one out; data.key is then the path of that."""
    error: AckError | None = None
    """How a refusal looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledAck:
    id_of: Getter | None
    """None: an answer belongs to the oldest open request."""
    id_type: type[int] | type[str]
    fits: Test
    is_ok: Test
    accepted: Getter | None
    channel: Getter | None
    alias: Getter | None
    is_error: Test
    code: Getter
    message: Getter

    def tells_error(self, frame: Any) -> bool:
        """Tell whether *frame*, which answers nothing that is open, is an error with words or a code."""
        told = (self.code(frame), self.message(frame)) if self.fits(frame) else ()
        return any(type(word) in {str, int} for word in told) and self.is_error(frame)

    def refusal(self, frame: Any) -> str | None:
        """Return why the answer *frame* is no confirmation; None if it is one."""
        if self.is_error(frame):
            told = (self.code(frame), self.message(frame))
            words = [str(word)[:_SHOWN] for word in told if isinstance(word, str | int)]
            return f"refused: {' '.join(words)}" if words else "refused"
        if not self.is_ok(frame):
            return "answered with neither a confirmation nor an error"
        return None


def compiled_ack(ack: Ack) -> CompiledAck:
    """Return how the answers are read that *ack* describes."""
    ids = {path: place["cast"] for path, value in ack.where.items() if (place := id_place(value))}
    rest: Matcher = {path: value for path, value in ack.where.items() if path not in ids}
    error = ack.error
    return CompiledAck(
        id_of=getter(next(iter(ids))) if ids else None,
        id_type=str if "str" in ids.values() else int,
        fits=matches(rest),
        is_ok=matches(ack.ok),
        accepted=getter(ack.accepted) if ack.accepted else None,
        channel=name_getter(ack.channel) if ack.channel else None,
        alias=getter(ack.alias) if ack.alias else None,
        is_error=matches(error.where) if error else lambda _frame: False,
        code=getter(error.code) if error and error.code else lambda _frame: MISSING,
        message=getter(error.message) if error and error.message else lambda _frame: MISSING,
    )


def id_place(expected: Any) -> re.Match[str] | None:
    """Return the place that a matcher's entry keeps for the request's id, if it does."""
    place = PLACE.fullmatch(expected) if isinstance(expected, str) else None
    return place if place and place["name"] == "id" and not place["more"] else None
