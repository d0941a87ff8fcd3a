"""Options that several commands have, in the same words."""

import click

from capacity.cli.helping.completion import names

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
