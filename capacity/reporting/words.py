"""What things are called in a report."""

from capacity.domain import units
from capacity.domain.caveats import CAVEAT_FACTS
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.words import RESOURCES

NOT_MEASURED = "not measured"

_DELAYS = {
    "delivery_delay": "delivery delay, p99",
    "request_latency": "request latency, p99",
    "handshake_time": "handshake time, p99",
}
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


def figure_name(figure: str) -> str:
    """Return what a figure is called: cost.memory_per_connection is memory of the target."""
    kind, _, name = figure.partition(".")
    if kind == "cost":
        return f"{RESOURCES[Resource(name.removesuffix('_per_connection'))]} per connection"
    if kind == "capacity":
        return "safe capacity" if name == "safe" else "capacity"
    return _DELAYS.get(kind, figure)
