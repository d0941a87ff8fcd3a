"""`capacity history`: what the scheduled runs found: listed, one by one, as a trend, and ahead."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from capacity.cli.helping.completion import names
from capacity.cli.helping.console import answer_console
from capacity.cli.helping.tables import print_facts, print_table
from capacity.domain.errors import ConfigError
from capacity.domain.words import printable
from capacity.recording import history
from capacity.recording.history import rows
from capacity.recording.history_row import HistoryRow, Outcome
from capacity.recording.notices import Series, capacity_drift
from capacity.recording.trends import CAPACITY, Trend, trend
from capacity.reporting.document import Section, Table, cells
from capacity.reporting.formats.finite import finite
from capacity.reporting.history import (
    bottleneck,
    costs_section,
    facts_text,
    outlook_facts,
    run_facts,
    trend_section,
)

_COLUMNS = (
    "started (UTC)",
    "late",
    "run",
    "target",
    "profile",
    "outcome",
    "capacity (90 %)",
    "change",
    "safe capacity",
    "bottleneck / reason",
)
_OPTIONAL_COLUMNS = (1, 4, 8)
"""What can be seen with `history show`."""
_PIPED_WIDTH = 180
"""For what looks for a run's line."""
DAY_S = 86_400.0
_MOST_EARLIER = 1000

_history = click.option(
    "--history",
    "url",
    default="reports/history.sqlite",
    show_default=True,
    help="An SQLite file or a database URL.",
)
_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of a table."
)
_job = click.option("--job", help="Only the runs of this job.")


def _selected(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which runs are meant."""
    options = (
        click.option("--target", help="Only the runs of this target, as the job file names it."),
        _job,
        _history,
        _json,
    )
    for option in options:
        command = option(command)
    return command


@click.group()
def command() -> None:
    """Show the results of scheduled runs."""


@command.command("list")
@click.option(
    "--limit", type=click.IntRange(min=1), default=30, show_default=True, help="Most runs to show."
)
@click.option(
    "--days", type=click.FloatRange(min=0, min_open=True), help="Only runs of the last days."
)
@_selected
def list_runs(
    *, target: str | None, job: str | None, limit: int, days: float | None, url: str, as_json: bool
) -> None:
    """List the runs, the latest first, each beside the median of those before it."""
    since_at = None if days is None else time.time() - days * DAY_S
    found = rows(url, target=target, job=job, since_at=since_at, limit=limit, headlines=not as_json)
    if as_json:
        click.echo(json.dumps({"runs": [asdict(row) for row in found]}, indent=2))
        return
    earlier = rows(url, target=target, job=job, limit=limit + _MOST_EARLIER, headlines=True)
    print_table(_listed(found, earlier), answer_console(_PIPED_WIDTH), optional=_OPTIONAL_COLUMNS)


@command.command("show")
@click.argument("run")
@_history
@_json
def show(run: str, *, url: str, as_json: bool) -> None:
    """Show what the history keeps of RUN."""
    found = _row(url, run)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
        return
    print_facts(facts_text(run_facts(found)), answer_console())
    section = costs_section(found)
    if section.table is not None and section.table.rows:
        print_table(section, answer_console())


@command.command("trend")
@click.option(
    "--figure",
    default=CAPACITY,
    show_default=True,
    help="capacity.mid, capacity.safe, or cost.<resource>_per_connection.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=30, show_default=True, help="Most runs to show."
)
@_selected
def show_trend(
    *, figure: str, limit: int, target: str | None, job: str | None, url: str, as_json: bool
) -> None:
    """Show a figure over the runs that may be compared with the latest, and its slope."""
    found = trend(_of_one_job(url, target, job), figure)
    if as_json:
        click.echo(_trend_document(found))
        return
    section = trend_section(found, limit)
    assert section.table is not None
    print_table(section, answer_console())
    for paragraph in section.paragraphs:
        click.echo(paragraph)


@command.command("forecast")
@click.option(
    "--demand",
    required=True,
    shell_complete=names("demand"),
    help="Of config/demand/NAME.yaml, or a path.",
)
@click.option(
    "--hosts", shell_complete=names("hosts"), help="Catalogue that the demand's host is in."
)
@click.option("--instances", type=click.IntRange(min=1), help="Else as the demand says.")
@_selected
def forecast(
    *,
    demand: str,
    hosts: str | None,
    instances: int | None,
    target: str | None,
    job: str | None,
    url: str,
    as_json: bool,
) -> None:
    """Say when the demand meets what the instances carry, by growth and the trend of the capacity."""
    from capacity.cli.plan import demanded  # noqa: PLC0415 - a list needs no planner
    from capacity.recording.outlook import outlook  # noqa: PLC0415 - nor what looks ahead

    wanted, _types = demanded(demand, hosts)
    assert wanted is not None, "the option is required"
    found = outlook(_of_one_job(url, target, job), wanted, instances, time.time())
    if as_json:
        click.echo(json.dumps(finite(asdict(found)), indent=2))
    else:
        print_facts(facts_text(outlook_facts(found)), answer_console())


@command.command("baseline")
@click.argument("run", required=False)
@click.option("--forget", is_flag=True, help="Forget the baseline of --job and --target.")
@_selected
def baseline(
    run: str | None, *, forget: bool, target: str | None, job: str | None, url: str, as_json: bool
) -> None:
    """Have later runs of a job compared with RUN as well; without RUN, list the baselines.

    A baseline's directory is never removed, however old it grows.
    """
    if run is not None:
        row = _row(url, run)
        if row.outcome is not Outcome.PLAN:
            raise ConfigError(f"{printable(run)}: has no plan to compare with; choose another run")
        history.choose_baseline(url, row, time.time())
    elif forget:
        if job is None or target is None:
            raise ConfigError("--forget: give --job and --target, whose baseline is meant")
        history.forget_baseline(url, job, target)
    found = [
        {"job": of_job, "target": of_target, "run": chosen}
        for (of_job, of_target), chosen in sorted(history.baselines(url).items())
        if job in {None, of_job} and target in {None, of_target}
    ]
    if as_json:
        click.echo(json.dumps({"baselines": found}, indent=2))
        return
    for each in found:
        click.echo(printable(f"{each['run']}: job {each['job']}, target {each['target']}"))
    if not found:
        click.echo("No baseline is chosen; `capacity history baseline RUN` chooses one.")


def _row(url: str, run: str) -> HistoryRow:
    found = rows(url, run=run)
    if not found:
        raise ConfigError(
            f"{printable(run)}: not in the history; `capacity history list` names its runs"
        )
    return found[0]


def _of_one_job(url: str, target: str | None, job: str | None) -> list[HistoryRow]:
    """Return the rows asked for. Raises ConfigError where they are of several jobs or targets."""
    found = rows(url, target=target, job=job)
    kinds = sorted({(row.job, row.target) for row in found})
    if len(kinds) > 1:
        named = ", ".join(f"job {one} on target {other}" for one, other in kinds)
        raise ConfigError(f"{url}: has several series: {named}; choose with --job and --target")
    return found


def _trend_document(found: Trend) -> str:
    return json.dumps(finite(asdict(found)), indent=2)


def _listed(found: list[HistoryRow], earlier: list[HistoryRow]) -> Section:
    series = Series(earlier)
    listed = tuple(
        cells(
            f"{datetime.fromtimestamp(row.started_at, UTC):%Y-%m-%d %H:%M}",
            "" if row.planned_at is None else f"{row.started_at - row.planned_at:,.0f} s",
            row.run,
            row.target,
            row.profile,
            row.outcome.value,
            _capacity(row),
            _change(row, series),
            _count(row.safe_capacity_connections),
            bottleneck(row) or row.reason or "",
        )
        for row in found
    )
    return Section(
        anchor="runs",
        heading="Runs",
        table=Table(columns=_COLUMNS, rows=listed, numeric=frozenset({6, 7, 8})),
    )


def _capacity(row: HistoryRow) -> str:
    if row.capacity_mid_connections is None:
        return ""
    low, high = _count(row.capacity_low_connections), _count(row.capacity_high_connections)
    return f"{_count(row.capacity_mid_connections)} ({low}–{high})"


def _change(row: HistoryRow, series: Series) -> str:
    """Return the capacity against the median of the comparable runs before, marked where it moved."""
    moved = capacity_drift(row, series.before(row))
    if moved is None:
        return ""
    mark = "!" if moved.has_fallen else ""
    return f"{moved.ratio - 1.0:+.1%}{mark}".replace("%", " %")


def _count(connections: float | None) -> str:
    return "" if connections is None else f"{connections:,.0f}"
