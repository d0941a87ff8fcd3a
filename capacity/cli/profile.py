"""`capacity profile list`: which question each profile answers, and where its numbers come from."""

import json
from typing import Any

import click

from capacity.cli.helping.console import answer_console
from capacity.cli.helping.tables import print_table
from capacity.domain import units
from capacity.reporting.document import Row, Section, Table, cells
from capacity.settings.locate import find, names_of
from capacity.settings.profile import (
    BreakProfile,
    Profile,
    RampProfile,
    SequenceProfile,
    load_profile,
)

_BASIS_COLUMN = 5
_COLUMNS = ("Name", "Kind", "Most connections", "Takes", "Answers", "Numbers from")


@click.group("profile")
def command() -> None:
    """List load profiles and scenarios (config/profiles)."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_command(*, as_json: bool) -> None:
    """List the profiles by name, with their question, least duration and the basis of their numbers."""
    rows = [described(name, load_profile(find("profiles", name))) for name in names_of("profiles")]
    if as_json:
        click.echo(
            json.dumps({"schema_version": 1, "kind": "profiles", "profiles": rows}, indent=2)
        )
        return
    section = Section(
        anchor="profiles",
        heading="Profiles",
        table=Table(columns=_COLUMNS, rows=tuple(_listed(row) for row in rows)),
    )
    print_table(section, answer_console(), optional=[_BASIS_COLUMN])


def _listed(row: dict[str, Any]) -> Row:
    most = "as limits allow" if row["most_connections"] is None else str(row["most_connections"])
    takes = "–" if row["least_s"] is None else units.duration(row["least_s"])
    return cells(row["name"], row["kind"], most, takes, row["question"] or "–", row["basis"] or "–")


def described(name: str, profile: Profile) -> dict[str, Any]:
    """Return one row: what is known of a profile before it meets a target."""
    return {
        "name": name,
        "kind": profile.kind,
        "question": profile.question,
        "basis": profile.basis,
        "most_connections": _most_connections(profile),
        "least_s": _least_s(profile),
    }


def _most_connections(profile: Profile) -> int | None:
    if isinstance(profile, SequenceProfile):
        return max(step.connections for step in profile.steps)
    if isinstance(profile, RampProfile):
        return profile.levels[-1]
    return profile.limit if isinstance(profile, BreakProfile) else None


def _least_s(profile: Profile) -> float | None:
    """Return the time that the plateaus take, and what they settle; None where the results decide."""
    if isinstance(profile, SequenceProfile):
        return (
            profile.settle_s
            + profile.plateau_s
            + sum(
                (step.settle_s if step.settle_s is not None else profile.settle_s)
                + (step.plateau_s if step.plateau_s is not None else profile.plateau_s)
                for step in profile.steps
            )
        )
    if isinstance(profile, RampProfile):
        return (len(profile.levels) + 1) * (profile.settle_s + profile.plateau_s)
    return None
