"""
The limit that counts: of all known limits on a resource, the smallest.

Known beats unknown (a number that was read binds whatever else there may be), unknown beats
unlimited (one open door does not tell about the other), and no limit at all is no entry.
"""

import math
from collections.abc import Sequence

from capacity.domain.resources import Limit, LimitState, Resource


def effective_limits(limits: Sequence[Limit]) -> dict[Resource, Limit]:
    """Return one limit a resource."""
    effective: dict[Resource, Limit] = {}
    for limit in limits:
        rival = effective.get(limit.resource)
        if rival is None or _rank(limit) < _rank(rival):
            effective[limit.resource] = limit
    return effective


def known_value(limit: Limit | None) -> float | None:
    """Return the limit's number, None unless it is known and finite."""
    if limit is None or limit.state is not LimitState.KNOWN or limit.value is None:
        return None
    return limit.value if math.isfinite(limit.value) else None


def _rank(limit: Limit) -> tuple[int, float]:
    value = known_value(limit)
    if value is not None:
        return 0, value
    return (2 if limit.state is LimitState.UNLIMITED else 1), 0.0
