"""`capacity why RUN NUMBER|RESOURCE|QUESTION`: where a number of a plan comes from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.text import Text

from capacity.cli.helping.console import answer_console
from capacity.cli.helping.tables import print_table
from capacity.cli.plan import located, planned_before
from capacity.domain import units
from capacity.domain.answers.sizing import Unanswered
from capacity.domain.errors import ConfigError, RunInvalidError
from capacity.domain.plan import CapacityPlan, Excuse, Wall
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES, printable
from capacity.notebook import plan as planned
from capacity.planning.advice.advice import advice
from capacity.recording import run_directory
from capacity.reporting.document import Section
from capacity.reporting.explanation import (
    Explanation,
    explain,
    headline,
    numbers_of,
    render_json,
    sections,
)
from capacity.reporting.proofs.answers import QUESTIONS, answer_proof, numbers_of_answers

_OVERALL = ("bottleneck", "capacity", "safe")
_Shown = TypeVar("_Shown")
_NEAR_RATIO = 0.006
"""Numbers are shown with three digits at least."""


@click.command()
@click.argument("run")
@click.argument("what", default="bottleneck")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def command(run: str, what: str, *, as_json: bool) -> None:
    """Say where a number of RUN's plan comes from: its limit, the readings, the fit, the arithmetic.

    WHAT is a resource (memory, "file descriptors"), a number that the plan shows, or bottleneck,
    capacity, safe; of a plan with a demand also sizing, storm, exhaustion.
    """
    path = located(run)
    record = run_directory.load(path)
    answer = planned(record)
    if isinstance(answer, Excuse):
        raise RunInvalidError(f"{path}: no plan to explain: {answer.reason}")
    found = _found(record, answer, path, what)
    if not isinstance(found, Wall):
        _tell_answer(found, answer.run, as_json=as_json)
        return
    told = explain(record, answer, found)
    if as_json:
        click.echo(render_json(told), nl=False)
    else:
        _print(told, answer_console())


@dataclass(frozen=True, slots=True)
class _Answer:
    question: str
    proof: tuple[Section, ...]


def _found(record: RunRecord, plan: CapacityPlan, path: Path, what: str) -> Wall | _Answer:
    """Return the bottleneck or the answer that *what* means."""
    wanted = what.strip().lower()
    number = _number(wanted)
    if wanted not in QUESTIONS and number is None:
        return _wall(plan, wanted, what)
    if number is not None and (wall := _nearest(numbers_of(plan), number)) is not None:
        return wall
    before = planned_before(path)
    demand, hosts = (None, ()) if before is None else (before.demand, before.hosts)
    advised = replace(plan, advice=advice(record, plan, demand, hosts))
    assert advised.advice is not None, "it was given just now"
    question: str | None = wanted
    if number is not None:
        question = _nearest(numbers_of_answers(advised.advice), number)
    if question is None:
        shown = ", ".join(f"{units.middle(wall.ceiling)} ({wall.resource})" for wall in plan.ladder)
        raise ConfigError(
            f"{printable(what)}: no ceiling of this plan, and no number of its answers;"
            f" its ceilings are {shown}"
        )
    proof = answer_proof(question, record, advised)
    if isinstance(proof, Unanswered):
        raise RunInvalidError(f"{path}: {question} has no answer: {proof.reason}; {proof.remedy}")
    return _Answer(question, proof)


def _wall(plan: CapacityPlan, wanted: str, what: str) -> Wall:
    if wanted in _OVERALL:
        return plan.ladder[0]
    names = {RESOURCES[wall.resource].lower(): wall for wall in plan.ladder}
    names |= {wall.resource.value: wall for wall in plan.ladder}
    if wanted in names:
        return names[wanted]
    for item in plan.no_ceiling:
        if wanted in {item.resource.value, RESOURCES[item.resource].lower()}:
            raise RunInvalidError(f"{RESOURCES[item.resource]} sets no ceiling: {item.reason}")
    close = get_close_matches(wanted, [*names, *_OVERALL, *QUESTIONS], n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    known = ", ".join(wall.resource.value for wall in plan.ladder)
    raise ConfigError(
        f"{printable(what)!r} is no resource of this plan; {hint}give one of {known}, a number that"
        f" the plan shows, or {', '.join((*_OVERALL, *QUESTIONS))}"
    )


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def _nearest(numbers: Sequence[tuple[float, _Shown]], number: float) -> _Shown | None:
    """Return what shows *number*, or one so near that it looks the same; None if nothing does."""
    if not numbers:
        return None
    distance, shown = min(
        ((abs(each - number), shown) for each, shown in numbers), key=lambda each: each[0]
    )
    return shown if distance <= _NEAR_RATIO * abs(number) + 0.5 else None


def _tell_answer(answer: _Answer, run: str, *, as_json: bool) -> None:
    if as_json:
        parts = [
            {
                "heading": part.heading,
                "paragraphs": list(part.paragraphs),
                "columns": list(part.table.columns) if part.table else [],
                "rows": [[cell.text for cell in row] for row in part.table.rows]
                if part.table
                else [],
            }
            for part in answer.proof
        ]
        told = {"run": run, "question": answer.question, "parts": parts}
        document = {"schema_version": 1, "kind": "explanation", "explanation": told}
        click.echo(json.dumps(document, indent=2))
        return
    console = answer_console()
    console.print(Text(printable(f"{answer.question} of {run}"), style="bold"))
    _print_sections(answer.proof, console)


def _print(told: Explanation, console: Console) -> None:
    console.print(Text(printable(headline(told)), style="bold"))
    _print_sections(sections(told), console)


def _print_sections(parts: Sequence[Section], console: Console) -> None:
    for section in parts:
        if section.table is not None:
            print_table(section, console)
        elif section.paragraphs:
            console.print(Text(section.heading, style="italic"))
        for paragraph in section.paragraphs:
            console.print(Text("  " + printable(paragraph)))
