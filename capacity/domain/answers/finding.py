"""What a look at target and generator before a run found."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How much stands in the way of the run."""

    OK = "ok"
    WARNING = "warning"
    """The run can be; what it shows may be less than hoped for."""
    FAILURE = "failure"
    """The run cannot succeed."""
    UNKNOWN = "unknown"
    """Could not be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at: what was found, with its number and its bound."""

    name: str
    status: Status
    statement: str
    remedy: str | None = None
    """One fix, with the exact setting; None where nothing has to be done."""
