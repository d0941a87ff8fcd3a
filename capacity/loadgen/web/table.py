"""The live table as texts: resource, used, limit, cost per connection, ceiling."""

from capacity.domain.resources import Resource
from capacity.domain.units import amount, count
from capacity.loadgen.director import Director
from capacity.planning.live import live_rows

UNKNOWN = "not known yet"
COLUMNS = (
    ("resource", "Resource"),
    ("used", "Used"),
    ("limit", "Limit"),
    ("cost", "Cost per connection"),
    ("ceiling", "Ceiling (connections)"),
)


def table_of(director: Director) -> list[dict[str, str]]:
    """Return the rows of the present or last run; none before the first."""
    conductor = director.conductor
    if conductor is None:
        return []
    offset = conductor.preflight.clock_offset
    rows = live_rows(
        conductor.observations,
        conductor.recorder.samples,
        conductor.preflight.limits,
        clock_offset_s=offset.offset_s if offset is not None else 0.0,
    )
    return [
        {
            "resource": row.resource.value.replace("_", " "),
            "used": _amount(row.used, row.resource),
            "limit": _amount(row.limit, row.resource),
            "cost": _amount(row.cost_per_connection, row.resource),
            "ceiling": count(row.ceiling) if row.ceiling is not None else row.reason or UNKNOWN,
        }
        for row in rows
    ]


def _amount(value: float | None, resource: Resource) -> str:
    return UNKNOWN if value is None else amount(value, resource)


def status_of(director: Director) -> str:
    """Return one line about where the run stands."""
    if director.problem is not None:
        return f"No run: {director.problem}"
    conductor = director.conductor
    if conductor is None:
        return "No run yet: start one on Locust's page."
    position = conductor.position
    where = f"step {position.index + 1} of {len(conductor.steps)}, {position.phase}"
    state = "Run is over" if conductor.is_over else f"Running, {where}"
    return (
        f"{state}: {conductor.open_connections} connections open, {conductor.users} users; "
        f"record in {conductor.recorder.path}"
    )
