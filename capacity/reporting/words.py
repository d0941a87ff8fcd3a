"""What things are called in a report."""

from capacity.domain import units
from capacity.domain.caveats import CAVEAT_FACTS
from capacity.domain.resources import Limit, LimitState

NOT_MEASURED = "not measured"

DOUBTS = {kind: facts.label for kind, facts in CAVEAT_FACTS.items()}


def reason(name: str) -> str:
    """Return a failure's name (connect_refused) as words."""
    return name.replace("_", " ")


def limit(known: Limit) -> str:
    if known.state is LimitState.UNLIMITED:
        return "unlimited"
    if known.state is LimitState.UNKNOWN or known.value is None:
        return "unknown"
    return units.amount(known.value, known.resource)


def origin(known: Limit) -> str:
    """Return where the limit was read, and why it could not be."""
    where = f"{known.scope}: {known.source}"
    return where if known.reason is None else f"{where}; {known.reason}"
