"""Rules on the figures of a run: what is asked, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Dimension(StrEnum):
    """What a figure is measured in; a bound must be of the same."""

    COUNT = "count"
    """Connections, or whole units of a counted resource."""
    RATIO = "ratio"
    BYTES = "bytes"
    BYTES_PER_S = "bytes_per_s"
    SECONDS = "seconds"
    CORES = "cores"
    NAMES = "names"
    """One name or several: a bottleneck, the caveats."""


class Level(StrEnum):
    """What a rule that does not hold is worth."""

    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`figure operator bound`, parsed."""

    text: str
    """As written."""
    figure: str
    operator: str
    """>=, <=, >, <, ==, !=, in, not in."""
    bound: float | frozenset[str]
    """In base units; names for a figure of names."""
    dimension: Dimension


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One condition and what it is worth."""

    condition: Condition
    level: Level
    reason: str
    """Why it is asked for; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured or modelled value."""

    dimension: Dimension
    value: float | frozenset[str] | None
    """In base units; None where it is missing."""
    missing: str = ""
    """Why, and what would make it known."""


Figures = Mapping[str, Figure]
"""By name: capacity.safe, cost.memory_per_connection, delivery_delay.p99, bottleneck, …"""


class RuleStatus(StrEnum):
    """What came of a rule."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """One rule against the figures of a run."""

    rule: Rule
    status: RuleStatus
    figure: Figure
    statement: str
    """The value beside the bound, or why there is none."""
