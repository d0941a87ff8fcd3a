"""`capacity plan RUN`: from a recorded run to a capacity, as plan.json and a table."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from capacity.cli.helping.completion import names
from capacity.cli.helping.console import answer_console
from capacity.cli.helping.tables import print_facts, print_table
from capacity.domain.answers.sizing import Advice, Demand, HostType, Sizing
from capacity.domain.errors import ConfigError, RunInvalidError
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.words import printable
from capacity.notebook import plan as planned
from capacity.planning.advice.advice import advice
from capacity.recording import run_directory
from capacity.reporting.advice.advice import advice_sections
from capacity.reporting.formats import json_document
from capacity.reporting.storm_drill import in_one_line
from capacity.reporting.verdict import verdict
from capacity.reporting.walls import doubts_section, ladder_section
from capacity.settings.demand import load_demand
from capacity.settings.hosts import load_hosts
from capacity.settings.locate import find

PLAN_FILE = "plan.json"
RUNS = Path("reports/runs")
_PRINTED_SECTIONS = 3
"""Sizing, exhaustion and storm."""
_COST_COLUMN = 5
_LADDER_COLUMNS = (0, 1, 2, _COST_COLUMN, 6, 7, 8)
"""Of the report's ladder: what fits a terminal. The remedy of the first wall is a fact above."""


@click.command()
@click.argument("run")
@click.option(
    "--demand",
    shell_complete=names("demand"),
    help="Demand to size for: name under config/demand, or a file.",
)
@click.option(
    "--hosts",
    shell_complete=names("hosts"),
    help="Host types to size for: name under config/hosts, or a file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print plan.json instead of a table.")
def command(run: str, demand: str | None, hosts: str | None, *, as_json: bool) -> None:
    """Compute the capacity from RUN, a directory or a name under reports/runs."""
    path = located(run)
    before = None if demand is not None else planned_before(path)
    wanted, types = demanded(demand, hosts)
    answer = plan_run(path, wanted, types)
    if (said := _of_sizing_before(before)) is not None:
        click.echo(said, err=True)
    if as_json:
        click.echo(json_document.render(answer), nl=False)
    else:
        print_answer(answer, answer_console())
    if isinstance(answer, Excuse) or answer.is_beyond_reach:
        sys.exit(RunInvalidError.exit_code)


def located(run: str) -> Path:
    """Return the directory that *run* means. Raises ConfigError when there is no run."""
    for path in (Path(run), RUNS / run):
        if run_directory.is_run(path):
            return path
    raise ConfigError(
        f"{printable(run)}: not a run (no run.json in it, nor in one of that name under {RUNS});"
        " give the directory that `capacity measure` wrote"
    )


def demanded(demand: str | None, hosts: str | None) -> tuple[Demand | None, tuple[HostType, ...]]:
    """Return the demand and the host types of the files named. Raises ConfigError."""
    if demand is None:
        if hosts is not None:
            raise ConfigError(
                "--hosts: needs --demand, which says how many connections to size for"
            )
        return None, ()
    types = () if hosts is None else load_hosts(find("hosts", hosts))
    return load_demand(find("demand", demand), types), types


def plan_run(
    run: Path, demand: Demand | None = None, hosts: Sequence[HostType] = ()
) -> CapacityPlan | Excuse:
    """Plan from the run in *run*, size for *demand* on *hosts*, and write plan.json into it.

    Without a demand that of the plan before is asked again.
    """
    record = run_directory.load(run)
    answer = planned(record)
    if isinstance(answer, CapacityPlan):
        if demand is None and (before := planned_before(run)) is not None:
            demand, hosts = before.demand, before.hosts
        answer = replace(answer, advice=advice(record, answer, demand, hosts))
    write_whole(run / PLAN_FILE, json_document.render(answer))
    return answer


def planned_before(run: Path) -> Advice | None:
    """Return the advice in the plan.json of *run*; None where there is none that can be read."""
    try:
        plan = json_document.parse((run / PLAN_FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ConfigError):
        return None
    return plan.advice if isinstance(plan, CapacityPlan) else None


def _of_sizing_before(before: Advice | None) -> str | None:
    """Return what became of the sizing of the plan before; None where there was none."""
    if before is None:
        return None
    if before.demand is not None:
        return (
            f"Sized for the demand {printable(before.demand.name)} of the plan before;"
            " --demand gives another, and without plan.json there is none."
        )
    if isinstance(before.sizing, Sizing):
        return (
            f"The sizing for the demand {printable(before.sizing.demand)} is gone: the plan before does"
            " not hold the demand itself; give it again with --demand."
        )
    return None


def write_whole(path: Path, text: str) -> None:
    """Write *text* so that a reader sees the old file or the new one, never a part."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{path}: cannot write it ({error.strerror})") from None


def print_answer(plan: CapacityPlan | Excuse, console: Console) -> None:
    """Print the verdict, the ladder and the doubts."""
    answer = verdict(plan)
    # Text: brackets in a name are no markup.
    console.print(Text(printable(answer.headline), style="bold"))
    for paragraph in answer.paragraphs:
        console.print(Text(printable(paragraph)))
    print_facts(
        (
            (fact.label, f"{fact.text} ({fact.note})" if fact.note else fact.text)
            for fact in answer.facts
        ),
        console,
    )
    if isinstance(plan, CapacityPlan):
        print_table(ladder_section(plan), console, columns=_LADDER_COLUMNS, optional=[_COST_COLUMN])
        _print_advice(plan, console)
    if plan.doubts:
        print_table(doubts_section(plan.doubts), console)


def _print_advice(plan: CapacityPlan, console: Console) -> None:
    """Print the storm drills, and what was asked for with a demand; the report has all of it."""
    for drill in plan.advice.drills if plan.advice is not None else ():
        console.print(Text(printable(in_one_line(drill))))
    if plan.advice is None or plan.advice.sizing is None:
        return
    for section in advice_sections(plan)[:_PRINTED_SECTIONS]:
        if section.table is None:
            console.print(Text(section.heading, style="italic"))
        else:
            print_table(section, console)
        for paragraph in section.paragraphs:
            console.print(Text(printable(paragraph)))
