"""How the answers to requests of a dialect look: which is whose, and what a refusal is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

Matcher = Mapping[str, Any]
VALIDATION = {"extra": "forbid", "use_attribute_docstrings": True}
"""How a validator is to treat these classes: unknown keys are errors, docstrings describe keys."""


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
    error: AckError | None = None
    """How a refusal looks."""
