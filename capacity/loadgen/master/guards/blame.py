"""Which reason connections failed by most, and whose doing that was: for the sentence that ends a run."""

from collections.abc import Mapping

from capacity.domain import units
from capacity.loadgen.protocol.counters import OPENING_FAILURES
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


_MEANS = {
    "_429": "too many from one address: set source_addresses in the target file",
    "_closed_1008": "a rule of the target; where it is about one client, set source_addresses in the target"
    " file",
}
"""How a reason ends by which a target says that one client asks too much (RFC 6585, section 4; RFC 6455,
section 7.4.1), and what that means."""


def refusals_in(failures: Mapping[str, int]) -> dict[str, int]:
    """Return those failures by which nobody is let in."""
    return {
        reason: count for reason, count in failures.items() if reason.startswith(OPENING_FAILURES)
    }


def told(refusals: Mapping[str, int]) -> str:
    """Return the most frequent reason, with what an operator has to know of it."""
    reason = max(refusals, key=lambda name: refusals[name])
    meaning = next((said for end, said in _MEANS.items() if reason.endswith(end)), None)
    return reason if meaning is None else f"{reason} ({meaning})"


def refused_clause(failures: Mapping[str, int]) -> str:
    """Return a clause about the attempts that the target let not in; empty without any."""
    refusals = refusals_in(failures)
    if not refusals:
        return ""
    failed = units.counted(sum(refusals.values()), "attempt")
    return f": {failed} failed, mostly {told(refusals)}"
