"""`capacity dialect lint`: is the file right, as far as that is possible without a server?"""

import click

from capacity.domain.units import counted
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find


@click.command("lint")
@click.argument("dialects", nargs=-1, required=True)
def command(*, dialects: tuple[str, ...]) -> None:
    """Check DIALECTS (names under config/dialects, or files); exit code 2 names file, line and key."""
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
        click.echo(f"{path}: ok: {', '.join(parts)}")
        for missing in _unmeasured(dialect):
            click.echo(f"{path}: note: {missing}")


def _unmeasured(dialect: object) -> list[str]:
    notes = []
    if getattr(dialect, "time", None) is None:
        notes.append("no time: delays cannot be measured")
    if not getattr(dialect, "sequence", ()):
        notes.append("no sequence: missing updates cannot be told")
    return notes
