"""`capacity init`: what capacity ships to be edited, copied to where names are looked up first."""

import json
import os
import shutil
from pathlib import Path

import click

from capacity.domain.errors import ConfigError
from capacity.settings.locate import shipped

FOLDERS = ("config", "locustfiles")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--json", "as_json", is_flag=True, help="Print the paths as one JSON document.")
def command(folder: Path, *, as_json: bool) -> None:
    """Write config/ and locustfiles/ into FOLDER (default: the current one), for you to edit.

    Names such as --target mine are looked up there first, and then in what capacity ships.
    Nothing is overwritten.
    """
    written = [str(path) for path in lay_out(folder)]
    click.echo(json.dumps({"files": written}, indent=2) if as_json else "\n".join(written))
    click.echo(
        "Next: describe your service in config/targets/mine.yaml (config/README.md lists the keys), "
        "then capacity doctor --target mine",
        err=True,
    )


def lay_out(where: Path) -> list[Path]:
    """Copy both folders into *where* and return the files. Raises ConfigError, then without effect."""
    there = [str(where / folder) for folder in FOLDERS if os.path.lexists(where / folder)]
    if there:
        raise ConfigError(
            f"{there[0]}: is there already and is never overwritten; move it away, or do this in "
            "another folder"
        )
    unfinished = where / f".capacity-init-{os.getpid()}"
    try:
        where.mkdir(parents=True, exist_ok=True)
        for folder in FOLDERS:
            shutil.copytree(
                shipped(folder), unfinished / folder, ignore=shutil.ignore_patterns("__pycache__")
            )
        for folder in FOLDERS:
            (unfinished / folder).rename(where / folder)
    except (OSError, shutil.Error) as error:
        raise ConfigError(
            f"{where.resolve()}: cannot write config/ and locustfiles/ there ({error}); "
            "do this in a folder that you may write to"
        ) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return sorted(
        path for folder in FOLDERS for path in (where / folder).rglob("*") if path.is_file()
    )
