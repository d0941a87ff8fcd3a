"""`capacity compare RUN BASELINE`: what a change of the target did to its costs and its capacity."""

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from capacity.cli.helping.console import answer_console
from capacity.cli.helping.tables import print_table
from capacity.cli.plan import RUNS, located
from capacity.domain.answers.comparison import Comparison, Outcome
from capacity.domain.errors import ConfigError, RegressionError, RunInvalidError
from capacity.domain.plan import Excuse
from capacity.domain.words import printable
from capacity.notebook import plan as planned
from capacity.planning.comparison.comparison import LEAST_EFFECT_RATIO, compare
from capacity.planning.comparison.run_costs import MeasuredRun
from capacity.recording import run_directory
from capacity.reporting.comparison import (
    headline,
    markdown,
    render_json,
    sections,
    subtitle,
)
from capacity.reporting.words import figure_name


@click.command()
@click.argument("run")
@click.argument("baseline")
@click.option(
    "--format",
    "shape",
    type=click.Choice(("text", "markdown", "json")),
    default="text",
    show_default=True,
    help="markdown is a comment on a pull request, at most 60 lines.",
)
@click.option("--json", "as_json", is_flag=True, help="As --format json.")
@click.option(
    "--least-effect",
    "least_effect_percent",
    type=click.FloatRange(0.0, 1000.0),
    default=LEAST_EFFECT_RATIO * 100.0,
    show_default=True,
    help="Changes of costs and capacity below this many percent do not count.",
)
@click.option(
    "--run-noise",
    "run_noise_percent",
    type=click.FloatRange(0.0, 100.0),
    default=0.0,
    show_default=True,
    help="What costs differ by from run to run of one build, in percent (a standard deviation).",
)
def command(
    run: str,
    baseline: str,
    shape: str,
    least_effect_percent: float,
    run_noise_percent: float,
    *,
    as_json: bool,
) -> None:
    """Compare RUN with BASELINE; exit code 11 says that something got worse.

    Each is a run, several separated by commas, or a directory that holds runs. Three runs a side
    also tell what differs from run to run of the same build.
    """
    found = compare(
        measured_runs(run),
        measured_runs(baseline),
        least_effect_ratio=least_effect_percent / 100.0,
        run_noise_ratio=run_noise_percent / 100.0,
    )
    if as_json or shape == "json":
        click.echo(render_json(found), nl=False)
    elif shape == "markdown":
        click.echo(markdown(found), nl=False)
    else:
        print_comparison(found, answer_console())
    if found.outcome is Outcome.REGRESSION:
        names = ", ".join(
            each if each.startswith("limit.") else figure_name(each) for each in found.regressions
        )
        raise RegressionError(f"regression: {names}")


def measured_runs(text: str) -> list[MeasuredRun]:
    """Return the runs that *text* names, each with its plan, in the order of their start.

    Raises ConfigError where there is no run, and RunInvalidError where one has no plan.
    """
    paths = [path for name in text.split(",") if name for path in _paths(name)]
    if not paths:
        raise ConfigError(f"{printable(text)!r}: names no run; give the directory of one")
    runs = [_measured(path) for path in dict.fromkeys(paths)]
    return sorted(runs, key=lambda each: each.record.manifest.started_at)


def _paths(name: str) -> list[Path]:
    for folder in (Path(name), RUNS / name):
        if folder.is_dir() and not run_directory.is_run(folder):
            inside = [path for path in sorted(folder.iterdir()) if run_directory.is_run(path)]
            if inside:
                return inside
    return [located(name)]


def _measured(path: Path) -> MeasuredRun:
    # Made anew: a plan of another version of this program is no baseline for one of this.
    record = run_directory.load(path)
    answer = planned(record)
    if isinstance(answer, Excuse):
        raise RunInvalidError(f"{path}: no plan to compare: {answer.reason}")
    return MeasuredRun(record=record, plan=answer)


def print_comparison(comparison: Comparison, console: Console) -> None:
    console.print(Text(printable(headline(comparison)), style="bold"))
    console.print(Text(printable(subtitle(comparison))))
    for section in sections(comparison):
        if section.table is not None:
            print_table(section, console)
        for paragraph in section.paragraphs:
            label = "Caveat: " if section.anchor == "caveats" else ""
            console.print(Text(label + printable(paragraph)))
