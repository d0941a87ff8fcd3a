"""
What the limits allow before a single connection is opened: the audited bound.

Of the resources where one connection takes one unit: floor(limit - used), the smallest counts.
A proxy or a shared limit can make the truth smaller, several workers larger; it is the bound that
load steps are sized by, not a plan. A resource whose use was not read sets no bound, since missing
is not zero. One exception: a limit of application connections that was declared, or read from the
application's configuration, needs no reading. At zero load none are assumed open, because it is what
the target admits altogether.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from capacity.domain.resource_facts import ONE_EACH
from capacity.domain.resources import APPLICATION, Limit, Resource
from capacity.planning.evidence.effective_limits import effective_limits, known_value
from capacity.planning.evidence.plausible import is_plausible


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedBound:
    """Connections that the counted limits leave room for, and the resource that says so."""

    connections: int
    resource: Resource


def audited_bound(limits: Sequence[Limit], used: Mapping[Resource, float]) -> AuditedBound | None:
    """Return the smallest bound, None if no counted resource has both a limit and a reading."""
    effective = effective_limits(limits)
    bounds = []
    for resource in ONE_EACH:
        limit = effective.get(resource)
        value = known_value(limit)
        taken = used.get(resource)
        if taken is None and _is_what_it_admits(limit):
            taken = 0.0
        if value is None or taken is None or not is_plausible(taken):
            continue
        room = max(0, math.floor(value - taken))
        bounds.append(AuditedBound(connections=room, resource=resource))
    return min(bounds, key=lambda bound: bound.connections, default=None)


def _is_what_it_admits(limit: Limit | None) -> bool:
    return (
        limit is not None
        and limit.resource is Resource.APPLICATION_CONNECTIONS
        and limit.scope in {"declared", APPLICATION}
    )
