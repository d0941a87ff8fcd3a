"""The `capacity` command: a map of names to the modules that carry them out."""

import importlib
import os
import signal
import sys
from typing import Any

import click

from capacity.domain.errors import CapacityError

COMMANDS = {
    "agent": "the psutil agent, on the target host",
    "attach": "samples brought afterwards, joined to their run",
    "audit": "every limit of a target, and which changed since a run",
    "demo": "everything on this machine: exchange, agent, load, plan, report",
    "doctor": "what stands in the way of a run, before any load",
    "exchange": "the bundled target alone",
    "history": "what scheduled runs found, run by run",
    "measure": "load a target and record what it takes",
    "plan": "from a recorded run to a capacity",
    "report": "a plan as HTML, Markdown and JSON",
    "scheduled": "one self-locking run: measure, plan, report, history",
}


class _LazyGroup(click.Group):
    """Imports a command when it is used: the agent must not need what the report needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"capacity.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever ends it early gets our sentence and our exit code, not Click's."""
        try:
            return super().invoke(ctx)
        except CapacityError as error:
            click.echo(f"capacity: {error}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # One is enough, all is tidied up.
            click.echo("capacity: interrupted", err=True)
            sys.exit(128 + signal.SIGINT)
        except BrokenPipeError:
            # The reader of our output left (`capacity plan … | head`): nothing to tell anybody.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(128 + signal.SIGPIPE)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=_LazyGroup)
@click.version_option(package_name="capacity", prog_name="capacity")
def cli() -> None:
    """Say how many connections a target holds and what gives out first, before it breaks."""


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit code."""
    cli(prog_name="capacity")


if __name__ == "__main__":
    main()
