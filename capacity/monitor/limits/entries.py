"""One entry of the audit: a limit read where it stands, or the reason why it could not be."""

from collections.abc import Callable

from capacity.domain.resources import AuditEntry, LimitState, Resource, Scaling
from capacity.monitor.readings import READ_ERRORS, reason_of


def audited(
    name: str,
    read: Callable[[], float | None],
    *,
    unit: str,
    scope: str,
    source: str,
    scales_with: Scaling,
    resource: Resource | None = None,
) -> AuditEntry:
    """Return what *read* says: a number, None for unlimited, or an error for unknown."""
    state, value, reason = LimitState.UNLIMITED, None, None
    try:
        value = read()
    except READ_ERRORS as error:
        state, reason = LimitState.UNKNOWN, reason_of(error)
    if value is not None:
        state, value = LimitState.KNOWN, float(value)
    return AuditEntry(
        name=name,
        state=state,
        value=value,
        unit=unit,
        scope=scope,
        source=source,
        scales_with=scales_with,
        resource=resource,
        reason=reason,
    )


def failing(error: Exception) -> Callable[[], float | None]:
    """Return a *read* for what could not even be looked for."""

    def read() -> float | None:
        raise error

    return read
