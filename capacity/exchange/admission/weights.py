"""What a request weighs, in credits: as at venues, what is large or reaches far costs more."""

from collections.abc import Mapping
from typing import Any

_WEIGHTS = {
    "public/get_currencies": 10,
    "public/get_instruments": 10,
    "public/get_order_book": 5,
    # Answers to the venue's own heartbeat.
    "public/set_heartbeat": 0,
    "public/test": 0,
}
_BY_CHANNEL = frozenset(
    f"{scope}/{act}" for scope in ("public", "private") for act in ("subscribe", "unsubscribe")
)


def weight_of(method: str, params: Mapping[str, Any]) -> int:
    """Return the credits that a request takes; of subscriptions one a channel."""
    if method in _BY_CHANNEL:
        names = params.get("channels")
        return max(1, len(names)) if isinstance(names, list) else 1
    return _WEIGHTS.get(method, 1)
