"""Options that several commands have, in the same words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from capacity.cli.helping.completion import names
from capacity.loadgen.run_options import RUN_OPTIONS

_Command = TypeVar("_Command", bound=Callable[..., Any])

TARGET = click.option(
    "--target",
    required=True,
    shell_complete=names("targets"),
    help="Name under config/targets, or a file.",
)
PROFILE = click.option(
    "--profile",
    default="safe",
    show_default=True,
    shell_complete=names("profiles"),
    help="Name under config/profiles, or a file.",
)


def run_options(command: _Command) -> _Command:
    """Give a command the options of a run; it passes them on by name."""
    for option in reversed(RUN_OPTIONS):
        kind = {"type": click.Path(path_type=Path)} if option.is_path else {"default": ""}
        given = click.option(f"--{option.name}", metavar=option.metavar, help=option.help, **kind)
        command = given(command)
    return command


def whole_number(
    flag: str, *, least: int, most: int, default: int, help_text: str
) -> Callable[[_Command], _Command]:
    """Return an option that takes a whole number from *least* to *most* and shows its default."""
    return click.option(
        flag, type=click.IntRange(least, most), default=default, show_default=True, help=help_text
    )
