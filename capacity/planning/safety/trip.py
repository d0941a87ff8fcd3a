"""How far a run may take its target, and what is said where it went further."""

from dataclasses import dataclass

from capacity.domain.observation import CutOffKind
from capacity.domain.resources import Resource

RECENT_SAMPLES = 5
"""Rates are taken over that many intervals: a single one is noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far a guarded run may take its target."""

    used_ratio: float
    """Of a limit of a counted resource, or of memory."""
    throttled_ratio: float
    """Of the CPU quota's periods."""
    retransmitted_ratio: float
    """Of the segments that the target's network namespace sends."""
    memory_pressure_ratio: float
    """Of the time in which some process waited for memory."""
    failed_opens_ratio: float
    """Of the connections that a step asked for."""
    lost_ratio: float = 0.05
    """Of the connections of a step, that the target ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A bound that was passed."""

    guard: str
    number: float
    bound: float
    statement: str
    """What was seen, with its number and its bound."""
    kind: CutOffKind = CutOffKind.GUARDED
    resource: Resource | None = None
    """What gives out at the load of this moment, where that is known; a sign of distress alone, such
    as segments sent again, is no limit that was reached."""
