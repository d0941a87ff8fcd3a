"""The live table as texts: resource, used, limit, cost per connection, ceiling."""

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.units import amount, count
from capacity.domain.words import RESOURCES
from capacity.loadgen.master.session import Session
from capacity.planning.evidence.effective_limits import effective_limits
from capacity.planning.live import LiveRow, live_rows

UNKNOWN = "—"
DECLARED_ONLY = frozenset({Resource.APPLICATION_CONNECTIONS})
"""Resources whose limit no agent can read: only a target file can state it."""
COLUMNS = (
    ("resource", "Resource"),
    ("used", "Usage now"),
    ("limit", "Limit"),
    ("cost", "Cost per connection"),
    ("ceiling", "Ceiling (connections)"),
)


def table_of(session: Session) -> list[dict[str, str]]:
    """Return the rows of the present or last run; none before the first."""
    controller = session.controller
    if controller is None:
        return []
    offset = controller.preflight.clock_offset
    rows = live_rows(
        controller.observations,
        controller.recorder.samples,
        controller.preflight.limits,
        clock_offset_s=offset.offset_s if offset is not None else 0.0,
    )
    limits = effective_limits(controller.preflight.limits)
    return [texts_of(row, limits.get(row.resource)) for row in rows]


def texts_of(row: LiveRow, limit: Limit | None) -> dict[str, str]:
    """Return the cells of one resource; *limit* is the one that counts, if there is any."""
    return {
        "resource": RESOURCES[row.resource],
        "used": _amount(row.used, row.resource),
        "limit": _limit(limit, row.resource),
        "cost": _amount(row.cost_per_connection, row.resource),
        "ceiling": _ceiling(row, limit),
    }


def _amount(value: float | None, resource: Resource) -> str:
    return UNKNOWN if value is None else amount(value, resource)


def _limit(limit: Limit | None, resource: Resource) -> str:
    if limit is None:
        return "not declared" if resource in DECLARED_ONLY else "not read"
    if limit.state is LimitState.UNLIMITED:
        return "unlimited"
    return "not readable" if limit.value is None else amount(limit.value, resource)


def _ceiling(row: LiveRow, limit: Limit | None) -> str:
    if row.ceiling is not None:
        return count(row.ceiling)
    if limit is not None and limit.state is LimitState.UNLIMITED:
        return "none"
    return row.reason or UNKNOWN


def status_of(session: Session) -> str:
    """Return one line about where the run stands."""
    if session.problem is not None:
        return f"No run: {session.problem}"
    controller = session.controller
    if controller is None:
        return "No run yet: start one on the Locust page."
    if controller.is_over:
        return f"Run finished; recorded in {controller.recorder.path}"
    position = controller.position
    total = f" of {controller.total_steps}" if controller.total_steps else ""
    return (
        f"Running, step {position.index + 1}{total}, {position.phase}: "
        f"{controller.open_connections} connections open, {controller.users} users; "
        f"recording to {controller.recorder.path}"
    )
