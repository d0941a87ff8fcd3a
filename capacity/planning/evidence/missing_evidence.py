"""What is missing for a plan."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing for a plan, and what would fill it."""

    reason: str
    remedy: str
