"""`capacity doctor`: what stands in the way of a run, and the fix for each, before any load."""

import json
from dataclasses import asdict

import click
from rich.markup import escape
from rich.table import Table

from capacity.cli.helping.console import answer_console
from capacity.cli.helping.named_options import PROFILE, TARGET
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import PreflightError
from capacity.domain.units import counted
from capacity.domain.words import LONGEST_SENTENCE, printable
from capacity.loadgen.checks.doctor import Examination
from capacity.settings.locate import find
from capacity.settings.profile import load_profile
from capacity.settings.target import load_target

_STYLES = {
    Status.OK: "green",
    Status.WARNING: "yellow",
    Status.FAILURE: "bold red",
    Status.UNKNOWN: "magenta",
}


@click.command("doctor")
@TARGET
@PROFILE
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Worker processes planned on this machine.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(*, target: str, profile: str, workers: int, as_json: bool) -> None:
    """Check generator, agent and target before a run, with a few connections and one request."""
    target_settings = load_target(find("targets", target))
    profile_settings = load_profile(find("profiles", profile))
    findings = Examination(target_settings, profile_settings, workers).findings()
    failed = [finding for finding in findings if finding.status is Status.FAILURE]
    if as_json:
        document = {"can_succeed": not failed, "findings": [asdict(each) for each in findings]}
        click.echo(json.dumps(document, indent=2))
    else:
        answer_console().print(_table(findings))
    if failed:
        raise PreflightError(
            f"the run cannot succeed: {counted(len(failed), 'check')} failed, the first:"
            f" {failed[0].statement}"
        )


def _table(findings: list[Finding]) -> Table:
    table = Table(title="Preflight checks")
    for heading in ("", "Check", "What was seen", "What to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        status = f"[{_STYLES[finding.status]}]{finding.status.value}[/]"
        cells = (finding.name, finding.statement, finding.remedy or "")
        table.add_row(status, *(escape(printable(cell, LONGEST_SENTENCE)) for cell in cells))
    return table
