"""The live table as texts: resource, used, limit, cost per connection, ceiling."""

from dataclasses import replace
from weakref import WeakKeyDictionary

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.units import about, amount, count, step_number
from capacity.domain.words import RESOURCES, private_part
from capacity.loadgen.master.controller import Controller
from capacity.loadgen.master.run_endings import in_words
from capacity.loadgen.master.session import Session
from capacity.loadgen.web.live_view import drill_name
from capacity.planning.evidence.effective_limits import effective_limits
from capacity.planning.live import LiveRow, latest_use, live_rows

UNKNOWN = "—"
DECLARED_ONLY = frozenset({Resource.APPLICATION_CONNECTIONS})
"""Resources whose limit no agent can read: only a target file can state it."""
FARTHEST = 10_000_000
"""Connections; what is beyond is the noise of what others use."""
COLUMNS = (
    ("resource", "Resource"),
    ("used", "Usage now"),
    ("limit", "Limit"),
    ("cost", "Cost per connection"),
    ("ceiling", "Ceiling (connections)"),
)


_fitted: "WeakKeyDictionary[Controller, tuple[int, list[LiveRow]]]" = WeakKeyDictionary()
"""Rows as fitted from so many steps: a fit after each step is enough."""


def table_of(session: Session) -> list[dict[str, str]]:
    """Return the rows of the run that was asked for last; none before it has begun."""
    controller = session.shown
    if controller is None:
        return []
    known, rows = _fitted.get(controller, (-1, []))
    steps = len(controller.observations)
    if known != steps or not rows:
        rows = _fit(controller)
        _fitted[controller] = steps, rows
    limits = effective_limits(controller.preflight.limits)
    now = latest_use(controller.recorder.samples)
    return [
        texts_of(replace(row, used=now.get(row.resource)), limits.get(row.resource)) for row in rows
    ]


def _fit(controller: Controller) -> list[LiveRow]:
    offset = controller.preflight.clock_offset
    return live_rows(
        controller.observations,
        controller.recorder.samples,
        controller.preflight.limits,
        clock_offset_s=offset.offset_s if offset is not None else 0.0,
    )


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
        return about(row.ceiling) if row.ceiling < FARTHEST else f"beyond {count(FARTHEST)}"
    if limit is not None and limit.state is LimitState.UNLIMITED:
        return "none"
    return row.reason or UNKNOWN


def status_of(session: Session) -> str:
    """Return one line about where the run stands."""
    if session.problem is not None:
        return f"No run: {session.problem}"
    if session.is_beginning:
        return "Looking at target and generator before the run"
    controller = session.controller
    if controller is None:
        return f"No run yet; START loads {session.chosen}"
    if controller.ending is not None:
        return f"{in_words(controller.ending, controller.observations)} Its record is in {controller.recorder.path}"
    position = controller.position
    total = f" of {controller.total_steps}" if controller.total_steps else ""
    phase = drill_name(controller) or f"{position.phase}"
    return (
        f"Running, step {step_number(position.index)}{total}, {phase}: "
        f"{controller.open_connections} connections open{private_part(controller.open_private)},"
        f" {controller.users} users; "
        f"recording to {controller.recorder.path}"
    )
