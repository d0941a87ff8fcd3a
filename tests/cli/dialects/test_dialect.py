"""`capacity dialect` and its commands."""

import subprocess
import sys

import click
import pytest

from capacity.cli.dialects.dialect import COMMANDS, command


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_listed_command_is_there_and_helps(name):
    found = command.get_command(click.Context(command), name)

    assert found is not None
    assert found.help
    assert name == found.name


def test_what_is_not_there_is_not_found():
    assert command.get_command(click.Context(command), "x") is None
    assert sorted(COMMANDS) == command.list_commands(click.Context(command))


def test_a_file_is_checked_without_the_generator():
    code = (
        "import sys; from capacity.cli.dialects.dialect import command;"
        "command(['lint', 'okx'], standalone_mode=False); print(*sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )

    assert {"locust", "gevent", "numpy"}.isdisjoint(ended.stdout.split())
