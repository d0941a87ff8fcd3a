"""`capacity dialect`: a venue described as data, drafted, checked, tried and replayed."""

import importlib

import click

COMMANDS = {
    "explain": "print the exact frames that a dialect sends, and what it makes of answers",
    "init": "draft a dialect and a target file from a recorded session or a HAR file",
    "lint": "check a dialect file, without connecting",
    "record": "record a session with a live server, before there is a dialect",
    "replay": "count what a dialect makes of a recorded session",
    "try": "speak to a live server and show each frame with what was made of it",
}
_MODULES = {"init": "drafting", "try": "trying"}


class _LazyGroup(click.Group):
    """Imports a command when it is used: to check a file nothing of the generator is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        name = _MODULES.get(cmd_name, cmd_name)
        command = importlib.import_module(f"capacity.cli.dialects.{name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group("dialect", cls=_LazyGroup)
def command() -> None:
    """Describe a venue: record or export a session, `init` a draft, `try` it (docs/dialects.md)."""
