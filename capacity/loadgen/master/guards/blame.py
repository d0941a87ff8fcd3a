"""Which reason connections failed by most, and whose doing that was: for the sentence that ends a run."""

from collections.abc import Mapping

from capacity.loadgen.wire.frames import (
    INFLATES,
    INVALID,
    MASKED,
    NOT_UTF8,
    TOO_BIG,
    TOO_MANY_FRAGMENTS,
)
from capacity.loadgen.wire.handshake import GENERATOR_FAULTS
from capacity.loadgen.wire.memory_budget import SPENT

PROTOCOL_FAULTS = frozenset(
    {INFLATES, INVALID, MASKED, NOT_UTF8, SPENT, TOO_BIG, TOO_MANY_FRAGMENTS}
)
"""Of the target: the generator closed the connection, as every client has to."""


def protocol_faults_in(failures: Mapping[str, int]) -> dict[str, int]:
    """Return those failures by which the target broke the protocol on an open connection."""
    return {reason: count for reason, count in failures.items() if reason in PROTOCOL_FAULTS}


def most_of(failures: Mapping[str, int]) -> str:
    """Return a clause that names the most frequent reason and whose doing it was; empty without any."""
    if not failures:
        return ""
    reason, count = max(failures.items(), key=lambda item: item[1])
    return f", most by {reason} ({count} times{_whose(reason)})"


def _whose(reason: str) -> str:
    if reason in GENERATOR_FAULTS:
        return ": the generator's own doing"
    if reason in PROTOCOL_FAULTS:
        return ": the target broke the protocol"
    return ""
