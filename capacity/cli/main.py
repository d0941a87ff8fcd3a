"""The `capacity` command: a map of names to the modules that carry them out."""

import os
import signal
import sys
from typing import Any

import click

from capacity.cli.running.lazy_group import LazyGroup
from capacity.domain.errors import CapacityError

COMMANDS = {
    "agent": "sample a target's resources and limits, on its host",
    "attach": "merge spooled agent samples into a run",
    "audit": "list every limit of a target, and which changed since a run",
    "check": "check the rules of config/rules.yaml against a run",
    "compare": "compare runs, and tell a regression from chance",
    "completion": "print what completes commands and names in a shell",
    "config": "show settings as they are read, and their origin",
    "dialect": "describe a venue: draft, check, try, replay",
    "demo": "exchange, agent, load, plan and report, on this machine",
    "doctor": "preflight checks, before any load",
    "exchange": "start the bundled target alone",
    "history": "results of scheduled runs",
    "init": "copy config/ and locustfiles/ into the current folder, to edit",
    "measure": "load a target and record the run",
    "plan": "compute the capacity from a recorded run",
    "profile": "list load profiles and the question each answers",
    "publish": "write a plan for Prometheus, Grafana, Kubernetes and CI",
    "report": "write the report as HTML, Markdown and JSON",
    "scheduled": "one run under a lock, for cron or systemd",
    "why": "explain a number of a plan, down to the readings",
}

_MODULES = {
    "dialect": "dialects.dialect",
    "completion": "helping.completion",
    "config": "configuration",
    "history": "scheduling.history",
    "publish": "publishing.publish",
    "scheduled": "scheduling.scheduled",
}
"""Below this package, of commands that have a room; the others are called as their module."""


class _Capacity(LazyGroup):
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


@click.group(
    "capacity", cls=_Capacity, commands_told=COMMANDS, package="capacity.cli", modules=_MODULES
)
@click.version_option(package_name="capacity", prog_name="capacity")
def cli() -> None:
    """Find out how many connections a service can hold and what saturates first."""


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit code."""
    cli(prog_name="capacity")


if __name__ == "__main__":
    main()
