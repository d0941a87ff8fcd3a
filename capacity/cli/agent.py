"""`capacity agent`: hands its arguments, `--help` included, to the agent's own parser."""

import sys

import click

from capacity.monitor.agent import main


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Sample the target's resources and limits on its host, and serve them over HTTP."""
    sys.exit(main(list(arguments)))
