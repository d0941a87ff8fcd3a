"""Every number of a plan in long form: one row a figure, for spreadsheets and change-point tools."""

import csv
import io
import math
from datetime import UTC, datetime

from capacity.domain.estimates import Estimate
from capacity.domain.resource_facts import LATENCIES, UNITS
from capacity.reporting.publishing.publication import Publication

COLUMNS = ("time", "target", "run", "figure", "unit", "value", "low", "high", "confidence")
_SPREADSHEET_FORMULA = ("=", "+", "-", "@")
"""A text that begins like this would be run by a spreadsheet that opens the file."""


def render(about: Publication) -> str:
    """Return the table with its header; what is not finite has an empty cell."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(COLUMNS)
    at = datetime.fromtimestamp(about.record.manifest.started_at, UTC)
    head = [at.isoformat(timespec="seconds"), _text(about.target), _text(about.plan.run)]
    for figure, unit, value in _figures(about):
        ends = (value.mid, value.low, value.high, value.confidence)
        writer.writerow([*head, figure, unit, *map(_cell, ends)])
    return output.getvalue()


def _figures(about: Publication) -> list[tuple[str, str, Estimate]]:
    plan = about.plan
    found = [
        ("capacity.mid", "connections", plan.capacity),
        ("capacity.safe", "connections", Estimate.exactly(float(plan.safe_capacity))),
        ("tested.connections", "connections", Estimate.exactly(float(plan.highest_connections))),
        ("extrapolation", "ratio", Estimate.exactly(plan.extrapolation_ratio)),
        (
            "target.connections_per_instance",
            "connections",
            Estimate.exactly(float(about.connections_per_instance)),
        ),
    ]
    for wall in plan.ladder:
        name, unit = wall.resource, UNITS[wall.resource]
        found.append((f"ceiling.{name}", "connections", wall.ceiling))
        if wall.limit.value is not None:
            found.append((f"limit.{name}", unit, Estimate.exactly(wall.limit.value)))
        if name in LATENCIES:
            continue
        cost = Estimate.exactly(wall.cost.marginal_along(plan.mix))
        found += [
            (f"baseline.{name}", unit, wall.cost.baseline),
            (f"cost.{name}_per_connection", unit, cost),
        ]
    return found


def _cell(value: float) -> str:
    return repr(value) if math.isfinite(value) else ""


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_SPREADSHEET_FORMULA) else text
