"""What is said of an application's own limits: a cap, none, one that cannot be told, or a hint."""

from collections.abc import Iterable
from dataclasses import replace

from capacity.domain.resources import (
    APPLICATION,
    AuditEntry,
    Limit,
    LimitState,
    Resource,
    Scaling,
)
from capacity.domain.words import printable
from capacity.monitor.limits.applications.settings import UnclearError
from capacity.monitor.readings import reason_of

CONNECTIONS = Resource.APPLICATION_CONNECTIONS
_STATES = (LimitState.KNOWN, LimitState.UNKNOWN, LimitState.UNLIMITED)
"""In the order in which they count, as of all limits on a resource."""


def cap(name: str, connections: float, source: str, ports: Iterable[int] = ()) -> AuditEntry:
    """Return how many clients the application admits at once, on *ports* (none: on all)."""
    return _entry(name, LimitState.KNOWN, float(connections), source, ports)


def heap(name: str, size_bytes: float, source: str) -> AuditEntry:
    """Return how much memory of its own the application may have before it serves no more."""
    entry = _entry(name, LimitState.KNOWN, size_bytes, source, ())
    return replace(entry, unit="bytes", scales_with=Scaling.BYTES, resource=Resource.HEAP)


def uncapped(name: str, source: str, ports: Iterable[int] = ()) -> AuditEntry:
    """Return that the application's configuration was read, and sets no cap."""
    return _entry(name, LimitState.UNLIMITED, None, source, ports)


def unclear(
    name: str,
    error: Exception,
    source: str,
    *,
    resource: Resource | None = CONNECTIONS,
    unit: str = "connections",
) -> AuditEntry:
    """Return that there may be a limit, and why nobody knows; *source* where the error says none."""
    is_ours = isinstance(error, UnclearError)
    return AuditEntry(
        name=printable(name),
        state=LimitState.UNKNOWN,
        value=None,
        unit=unit,
        scope=APPLICATION,
        source=printable(error.where if isinstance(error, UnclearError) else source),
        scales_with=Scaling.OTHER_LIMIT if resource is None else Scaling.CONNECTIONS,
        resource=resource,
        reason=printable(str(error) if is_ours else reason_of(error)),
    )


def told(
    name: str,
    value: float | None,
    source: str,
    *,
    unit: str = "connections",
    scales_with: Scaling = Scaling.OTHER_LIMIT,
) -> AuditEntry:
    """Return a setting that caps no connection by itself; None for no limit."""
    return AuditEntry(
        name=printable(name),
        state=LimitState.UNLIMITED if value is None else LimitState.KNOWN,
        value=None if value is None else float(value),
        unit=unit,
        scope=APPLICATION,
        source=printable(source),
        scales_with=scales_with,
    )


def limits_of(entries: Iterable[AuditEntry]) -> list[Limit]:
    """Return the cap that counts for each resource and set of ports: the smallest that is known, else

    that there is none; and beside it the first that is unknown.
    """
    tightest: dict[tuple[Resource, tuple[int, ...], bool], tuple[Resource, AuditEntry]] = {}
    for entry in sorted(
        entries, key=lambda entry: (_STATES.index(entry.state), entry.value or 0.0)
    ):
        if (resource := entry.resource) is not None:
            key = (resource, entry.ports, entry.state is LimitState.UNKNOWN)
            tightest.setdefault(key, (resource, entry))
    return [
        Limit(
            resource=resource,
            state=entry.state,
            value=entry.value,
            scope=APPLICATION,
            source=entry.source,
            reason=entry.reason,
            ports=entry.ports,
        )
        for resource, entry in tightest.values()
    ]


def _entry(
    name: str,
    state: LimitState,
    value: float | None,
    source: str,
    ports: Iterable[int],
) -> AuditEntry:
    return AuditEntry(
        name=printable(name),
        state=state,
        value=value,
        unit="connections",
        scope=APPLICATION,
        source=printable(source),
        scales_with=Scaling.CONNECTIONS,
        resource=CONNECTIONS,
        ports=tuple(sorted(set(ports))),
    )
