"""Which reason connections failed by most, and whose doing that was: for the sentence that ends a run."""

from collections.abc import Mapping
from typing import Protocol

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
_NONE: Mapping[str, int] = {}


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
    "_418": "the target bans this address for a time: wait as long as it says, and ask it less often",
    "_429": "too many from one address: set source_addresses in the target file",
    "_closed_1008": "a rule of the target; where it is about one client, set source_addresses in the target"
    " file",
}
"""How a reason ends by which a target says that one client asks too much (RFC 6585, section 4; RFC 6455,
section 7.4.1), and what that means."""


_BEHIND_UPGRADE = "handshake_closed_"
"""How the reason begins by which a target refuses a connection that it has upgraded."""


class Held(Protocol):
    """What the workers say that they hold."""

    @property
    def open_connections(self) -> int: ...

    @property
    def open_private(self) -> int: ...

    @property
    def whole_clients(self) -> int | None: ...


def admitted_of(most: int, held: Held, failures: Mapping[str, int]) -> int:
    """Return how many of the *most* that were open at once the target let in.

    Whom it refuses behind the upgrade is open until it says so: those *held* then were let in. Where clients hold several
    connections, only those of whole clients count.
    """
    is_taken_back = any(reason.startswith(_BEHIND_UPGRADE) for reason in failures)
    admitted = min(most, held.open_connections) if is_taken_back else most
    return admitted if held.whole_clients is None else min(admitted, held.whole_clients)


def whole_clients_of(connections: int, private: int, per_client: int) -> int:
    """Return how many of the open *connections* are those of whole clients, *private* ones among them.

    Of each client the last of its connections is private: what is open of one kind alone serves nobody.
    """
    return per_client * min(private, (connections - private) // (per_client - 1))


def held_clause(held: Held) -> str:
    """Return that more is open than the connections of whole clients; empty where it is not."""
    if held.whole_clients is None or held.whole_clients == held.open_connections:
        return ""
    return f" of whole clients ({held.open_connections} were open, {held.open_private} of them private)"


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


def refused_clause(failures: Mapping[str, int], private: Mapping[str, int] = _NONE) -> str:
    """Return a clause about the attempts that the target let not in; empty without any.

    *private* are those of the failures that private connections had.
    """
    refusals = refusals_in(failures)
    if not refusals:
        return ""
    failed = units.counted(sum(refusals.values()), "attempt")
    return f": {failed} failed, mostly {told(refusals)}{private_clause(private)}"


def private_clause(private: Mapping[str, int]) -> str:
    """Return a clause that says how many of the attempts that failed were *private*; empty without any."""
    refusals = refusals_in(private)
    if not refusals:
        return ""
    return f", private: {sum(refusals.values())} refused, mostly {told(refusals)}"


def tries_in_words(unanswered: int, waiting: int) -> str:
    """Return what became of the attempts of a ramp at a target that answers nobody."""
    tried = [
        f"{units.counted(unanswered, 'connect attempt')} timed out" * bool(unanswered),
        f"{units.counted(waiting, 'connect attempt')} had no answer yet" * bool(waiting),
    ]
    return " and ".join(filter(None, tried)) or "no update came"
