"""`capacity why RUN NUMBER|RESOURCE`: where a number of a plan comes from, down to the readings."""

from difflib import get_close_matches

import click
from rich.console import Console
from rich.text import Text

from capacity.cli.plan import answer_console, located, print_table
from capacity.domain.errors import ConfigError, RunInvalidError
from capacity.domain.plan import CapacityPlan, Excuse, Wall
from capacity.domain.words import RESOURCES, printable
from capacity.notebook import plan as planned
from capacity.recording import run_directory
from capacity.reporting.explanation import (
    Explanation,
    explain,
    headline,
    numbers_of,
    render_json,
    sections,
)

_OVERALL = ("bottleneck", "capacity", "safe")
_NEAR_RATIO = 0.006
"""Numbers are shown with three digits at least."""


@click.command()
@click.argument("run")
@click.argument("what", default="bottleneck")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def command(run: str, what: str, *, as_json: bool) -> None:
    """Say where a number of RUN's plan comes from: its limit, the readings, the fit, the arithmetic.

    WHAT is a resource (memory, "file descriptors"), a number that the plan shows, or bottleneck,
    capacity, safe.
    """
    path = located(run)
    record = run_directory.load(path)
    answer = planned(record)
    if isinstance(answer, Excuse):
        raise RunInvalidError(f"{path}: no plan to explain: {answer.reason}")
    told = explain(record, answer, _wall(answer, what))
    if as_json:
        click.echo(render_json(told), nl=False)
    else:
        _print(told, answer_console())


def _wall(plan: CapacityPlan, what: str) -> Wall:
    wanted = what.strip().lower()
    if wanted in _OVERALL:
        return plan.ladder[0]
    number = _number(wanted)
    if number is not None:
        return _wall_of_number(plan, number, what)
    names = {RESOURCES[wall.resource].lower(): wall for wall in plan.ladder}
    names |= {wall.resource.value: wall for wall in plan.ladder}
    if wanted in names:
        return names[wanted]
    for item in plan.no_ceiling:
        if wanted in {item.resource.value, RESOURCES[item.resource].lower()}:
            raise RunInvalidError(f"{RESOURCES[item.resource]} sets no ceiling: {item.reason}")
    close = get_close_matches(wanted, [*names, *_OVERALL], n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    known = ", ".join(wall.resource.value for wall in plan.ladder)
    raise ConfigError(
        f"{printable(what)!r} is no resource of this plan; {hint}give one of {known}, a number that"
        f" the plan shows, or {', '.join(_OVERALL)}"
    )


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def _wall_of_number(plan: CapacityPlan, number: float, what: str) -> Wall:
    distance, wall = min(
        ((abs(shown - number), wall) for shown, wall in numbers_of(plan)),
        key=lambda each: each[0],
    )
    if distance > _NEAR_RATIO * abs(number) + 0.5:
        shown = ", ".join(f"{wall.ceiling.mid:,.0f} ({wall.resource})" for wall in plan.ladder)
        raise ConfigError(f"{printable(what)}: no ceiling of this plan; its ceilings are {shown}")
    return wall


def _print(told: Explanation, console: Console) -> None:
    console.print(Text(printable(headline(told)), style="bold"))
    for section in sections(told):
        if section.table is not None:
            print_table(section, range(len(section.table.columns)), console)
        elif section.paragraphs:
            console.print(Text(section.heading, style="italic"))
        for paragraph in section.paragraphs:
            console.print(Text("  " + printable(paragraph)))
