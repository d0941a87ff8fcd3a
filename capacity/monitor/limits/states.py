"""The three things that can be said of a limit, each with its source."""

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.monitor.readings import reason_of


def known(resource: Resource, value: float, scope: str, source: str) -> Limit:
    return Limit(
        resource=resource, state=LimitState.KNOWN, value=float(value), scope=scope, source=source
    )


def unlimited(resource: Resource, scope: str, source: str) -> Limit:
    return Limit(
        resource=resource, state=LimitState.UNLIMITED, value=None, scope=scope, source=source
    )


def unknown(resource: Resource, scope: str, source: str, why: Exception | str) -> Limit:
    """Return a limit that could not be read; *why* says what would help."""
    return Limit(
        resource=resource,
        state=LimitState.UNKNOWN,
        value=None,
        scope=scope,
        source=source,
        reason=why if isinstance(why, str) else reason_of(why),
    )
