"""Commands below a command that are imported when they are used."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from capacity.cli.helping.examples import with_examples


class LazyGroup(click.Group):
    """Imports a command when it is used: one must not need what only another one needs."""

    def __init__(
        self,
        *given: Any,
        commands_told: Mapping[str, str],
        package: str,
        modules: Mapping[str, str],
        **settings: Any,
    ) -> None:
        """Take what each command does by its name, and in which module of *package* it is if not its own."""
        super().__init__(*given, **settings)
        self._told = commands_told
        self._package = package
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(self._told)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in self._told:
            return None
        module = self._modules.get(cmd_name, cmd_name)
        command = importlib.import_module(f"{self._package}.{module}").command
        assert isinstance(command, click.Command)
        return with_examples(command, f"{self.name} {cmd_name}".removeprefix("capacity "))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self._told.items()))
