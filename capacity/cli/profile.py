"""`capacity profile list`: which question each profile answers, and where its numbers come from."""

import json
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from capacity.cli.helping.console import answer_console
from capacity.domain import units
from capacity.domain.words import printable
from capacity.settings.locate import find, names_of
from capacity.settings.profile import (
    BreakProfile,
    Profile,
    RampProfile,
    SequenceProfile,
    load_profile,
)


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
    table = Table(title="Profiles", title_justify="left")
    for heading in ("Name", "Kind", "Most connections", "Takes", "Answers", "Numbers from"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Name")
    for row in rows:
        most = (
            "as limits allow" if row["most_connections"] is None else str(row["most_connections"])
        )
        takes = "–" if row["least_s"] is None else units.duration(row["least_s"])
        texts = (row["name"], row["kind"], most, takes, row["question"] or "–", row["basis"] or "–")
        table.add_row(*(Text(printable(text, 600)) for text in texts))
    answer_console().print(table)


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
