"""`capacity dialect lint`: is the file right, as far as that is possible without a server?"""

import json

import click

from capacity.cli.helping.completion import names
from capacity.domain.units import counted
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find


@click.command("lint")
@click.argument("dialects", nargs=-1, required=True, shell_complete=names("dialects"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(*, dialects: tuple[str, ...], as_json: bool) -> None:
    """Check DIALECTS (names under config/dialects, or files); exit code 2 names file, line and key."""
    found = []
    for name in dialects:
        path = find("dialects", name)
        dialect = load_dialect(path)
        parts = [
            counted(len(dialect.channels), "channel"),
            counted(len(dialect.opening), "opening step"),
            counted(len(dialect.heartbeat), "heartbeat rule"),
            counted(len(dialect.sequence), "sequence rule"),
            counted(len(dialect.rest), "REST operation"),
        ]
        found.append({"file": str(path), "has": parts, "notes": _unmeasured(dialect)})
    if as_json:
        click.echo(json.dumps({"dialects": found}, indent=2))
        return
    for each in found:
        click.echo(f"{each['file']}: ok: {', '.join(each['has'])}")
        for missing in each["notes"]:
            click.echo(f"{each['file']}: note: {missing}")


def _unmeasured(dialect: object) -> list[str]:
    notes = []
    if getattr(dialect, "time", None) is None:
        notes.append("no time: delays cannot be measured")
    if not getattr(dialect, "sequence", ()):
        notes.append("no sequence: missing updates cannot be told")
    if getattr(dialect, "subscribe", None) and getattr(dialect, "unsubscribe", None) is None:
        notes.append(
            "no unsubscribe: each step follows all channels, so that a run cannot tell what an idle"
            " connection costs from what a subscription does"
        )
    return notes
