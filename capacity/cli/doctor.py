"""`capacity doctor`: what stands in the way of a run, and the fix for each, before any load."""

import json
from dataclasses import asdict

import click

from capacity.cli.helping.console import answer_console
from capacity.cli.helping.named_options import PROFILE, TARGET
from capacity.cli.helping.tables import print_table
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import PreflightError
from capacity.domain.units import counted
from capacity.loadgen.checks.doctor import Examination
from capacity.reporting.document import Section, Table, cells
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
        print_table(_section(findings), answer_console(), styles=_STYLES)
    if failed:
        raise PreflightError(
            f"the run cannot succeed: {counted(len(failed), 'check')} failed, the first:"
            f" {failed[0].statement}"
        )


def _section(findings: list[Finding]) -> Section:
    rows = tuple(
        cells(finding.status.value, finding.name, finding.statement, finding.remedy or "")
        for finding in findings
    )
    return Section(
        anchor="checks",
        heading="Preflight checks",
        table=Table(columns=("", "Check", "What was seen", "What to do"), rows=rows),
    )
