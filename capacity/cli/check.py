"""`capacity check RUN`: do the rules of config/rules.yaml hold of a run? For pipelines."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from capacity.cli.compare import measured_runs
from capacity.cli.helping.completion import names
from capacity.cli.helping.console import answer_console
from capacity.cli.helping.tables import print_table
from capacity.cli.plan import demanded, located, write_whole
from capacity.domain.answers.rules import RuleResult, RuleStatus
from capacity.domain.errors import ConfigError, RuleError
from capacity.domain.plan import CapacityPlan
from capacity.domain.units import counted
from capacity.notebook import plan as planned
from capacity.planning.advice.advice import advice
from capacity.planning.comparison.comparison import compare
from capacity.planning.comparison.run_costs import MeasuredRun
from capacity.planning.rules.evaluation import evaluate
from capacity.planning.rules.figures import figures
from capacity.recording import run_directory
from capacity.reporting.document import Section, Table, cells
from capacity.reporting.formats import junit
from capacity.settings.rules import load_rules

RULES = Path("config/rules.yaml")
_STYLES = {
    RuleStatus.PASSED: "green",
    RuleStatus.WARNED: "yellow",
    RuleStatus.FAILED: "bold red",
}


@click.command()
@click.argument("run")
@click.option(
    "--rules",
    "rules_file",
    type=click.Path(path_type=Path),
    default=RULES,
    show_default=True,
    help="Rules to check.",
)
@click.option(
    "--demand",
    shell_complete=names("demand"),
    help="Demand for headroom: config/demand/NAME.yaml, or a path.",
)
@click.option(
    "--hosts", shell_complete=names("hosts"), help="Catalogue that the demand's host is in."
)
@click.option("--baseline", help="Runs to compare with, for audit.changed and regressions.")
@click.option("--junit", "junit_file", type=click.Path(path_type=Path), help="Write JUnit XML.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
def command(
    run: str,
    *,
    rules_file: Path,
    demand: str | None,
    hosts: str | None,
    baseline: str | None,
    junit_file: Path | None,
    as_json: bool,
) -> None:
    """Check the rules against RUN; exit code 10 says that one that must hold does not."""
    results = checked(run, rules_file, demand=demand, hosts=hosts, baseline=baseline)
    if junit_file is not None:
        write_whole(junit_file, junit.render(results, run))
    if as_json:
        click.echo(_document(results))
    else:
        print_table(_section(results), answer_console(), styles=_STYLES)
    raise_if_failed(results)


def checked(
    run: str,
    rules_file: Path,
    *,
    demand: str | None = None,
    hosts: str | None = None,
    baseline: str | None = None,
) -> list[RuleResult]:
    """Return what came of each rule. Raises ConfigError, and RunInvalidError for a bad baseline."""
    if not rules_file.is_file():
        raise ConfigError(f"{rules_file}: cannot be read: no such file; name one with --rules")
    rules = load_rules(rules_file)
    wanted, types = demanded(demand, hosts)
    path = located(run)
    record = run_directory.load(path)
    answer = planned(record)
    comparison = None
    if isinstance(answer, CapacityPlan):
        answer = replace(answer, advice=advice(record, answer, wanted, types))
        if baseline is not None:
            now = [MeasuredRun(record=record, plan=answer)]
            comparison = compare(now, measured_runs(baseline))
    return evaluate(rules, figures(record, answer, wanted, comparison))


def raise_if_failed(results: Sequence[RuleResult]) -> None:
    failed = [result for result in results if result.status is RuleStatus.FAILED]
    if failed:
        first = failed[0]
        raise RuleError(
            f"{counted(len(failed), 'rule')} of {len(results)} failed, the first:"
            f" {first.rule.condition.text}: {first.statement}"
        )


def _section(results: Sequence[RuleResult]) -> Section:
    rows = tuple(
        cells(result.status.value, result.rule.condition.text, result.statement, result.rule.reason)
        for result in results
    )
    return Section(
        anchor="rules",
        heading="Rules",
        table=Table(columns=("", "Rule", "Found", "Why"), rows=rows),
    )


def _document(results: Sequence[RuleResult]) -> str:
    rows = [
        {
            "rule": result.rule.condition.text,
            "level": result.rule.level.value,
            "status": result.status.value,
            "figure": result.rule.condition.figure,
            "value": sorted(result.figure.value)
            if isinstance(result.figure.value, frozenset)
            else result.figure.value,
            "statement": result.statement,
        }
        for result in results
    ]
    return json.dumps({"schema_version": 1, "kind": "rules", "rules": rows}, indent=2)
