"""`capacity history`: what the scheduled runs found, run by run."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from capacity.domain.resources import Resource
from capacity.domain.words import RESOURCES, printable
from capacity.recording.history import rows
from capacity.recording.history_row import HistoryRow

PIPED_WIDTH = 160


@click.group()
def command() -> None:
    """Show the results of scheduled runs."""


@command.command("list")
@click.option("--target", help="Only runs of this target, as named in the job file.")
@click.option("--limit", type=click.IntRange(min=1), default=30, show_default=True)
@click.option(
    "--history",
    "url",
    default="reports/history.sqlite",
    show_default=True,
    help="SQLite file or database URL.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
def list_runs(target: str | None, limit: int, url: str, *, as_json: bool) -> None:
    """List the runs, newest first."""
    found = rows(url, target=target, limit=limit)
    if as_json:
        click.echo(json.dumps({"runs": [asdict(row) for row in found]}, indent=2))
        return
    # A pipe has no width of its own; in 80 columns the names would be cut into pieces.
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(_table(found))


def _table(found: list[HistoryRow]) -> Table:
    table = Table()
    for name in ("started (UTC)", "late", "run", "target", "profile", "outcome"):
        table.add_column(name, no_wrap=name == "started (UTC)", overflow="fold")
    table.add_column("capacity", justify="right")
    table.add_column("safe\ncapacity", justify="right")
    table.add_column("bottleneck / reason", overflow="fold")
    for row in found:
        cells = (
            f"{datetime.fromtimestamp(row.started_at, UTC):%Y-%m-%d %H:%M}",
            "" if row.planned_at is None else f"{row.started_at - row.planned_at:,.0f} s",
            row.run,
            row.target,
            row.profile,
            row.outcome.value,
            _capacity(row),
            _count(row.safe_capacity_connections),
            _bottleneck(row) or row.reason or "",
        )
        # Text: brackets in a name are no markup.
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


def _bottleneck(row: HistoryRow) -> str:
    """Return the resource's name as in the report; one that this version does not know as it is."""
    if row.binding is None:
        return ""
    return RESOURCES[Resource(row.binding)] if row.binding in set(Resource) else row.binding


def _capacity(row: HistoryRow) -> str:
    if row.capacity_mid_connections is None:
        return ""
    low, high = _count(row.capacity_low_connections), _count(row.capacity_high_connections)
    return f"{_count(row.capacity_mid_connections)} ({low}–{high})"


def _count(connections: float | None) -> str:
    return "" if connections is None else f"{connections:,.0f}"
