"""`capacity config show KIND NAME`: a settings file as it is read, defaults included."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from capacity.domain.words import printable
from capacity.settings.locate import find, names_of
from capacity.settings.origins import ADAPTERS, FOLDERS, settings_in


def _names(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    kind = FOLDERS.get(context.params.get("kind") or "")
    return [] if kind is None else [name for name in names_of(kind) if name.startswith(begun)]


@click.group("config")
def command() -> None:
    """Show settings files as they are read; config/README.md explains every key."""


@command.command("show")
@click.argument("kind", type=click.Choice(sorted(ADAPTERS)))
@click.argument("name", shell_complete=_names)
@click.option("--origin", is_flag=True, help="Say of each value which line it is from, or default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; with the origins.")
def show(kind: str, name: str, *, origin: bool, as_json: bool) -> None:
    """Show every value of NAME, a file or a name under config/, with what was left to defaults."""
    path = find(FOLDERS[kind], name) if kind in FOLDERS else Path(name)
    found = settings_in(kind, path)
    if as_json:
        document = {"file": str(path), "settings": [asdict(each) for each in found]}
        click.echo(json.dumps(document, indent=2))
        return
    for each in found:
        value = json.dumps(each.value, ensure_ascii=False)
        behind = f"  # {each.origin}" if origin else ""
        click.echo(printable(f"{each.key}: {value}{behind}", 2000))
