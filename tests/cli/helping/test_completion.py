import os
import shutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from capacity.cli.helping.completion import SHELLS, command, names
from capacity.cli.main import cli

PROGRAM = """#!{python}
from capacity.cli.entry import main
main()
"""


@pytest.fixture
def path(tmp_path):
    """A PATH on which `capacity` is this checkout's."""
    program = tmp_path / "capacity"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


def completed(path, *lines):
    """Return what a real bash offers for the last word of each line, with the script as documented."""
    script = (
        'eval "$(capacity completion bash)"; complete -p capacity >/dev/null || exit 1;'
        " for line; do COMP_WORDS=(capacity $line); COMP_CWORD=$((${#COMP_WORDS[@]} - 1));"
        ' COMPREPLY=(); _capacity_completion capacity "${COMP_WORDS[$COMP_CWORD]}" "";'
        ' echo "${COMPREPLY[*]}"; done'
    )
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("bash is not installed")
    done = subprocess.run(
        [shell, "-c", script, "bash", *lines],
        capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "PATH": path},
    )  # fmt: skip
    return [offered.split() for offered in done.stdout.splitlines()]


def test_bash_completes_commands_options_and_names(path, root, monkeypatch):
    monkeypatch.chdir(root)
    lines = ("pu", "history base", "scheduled night", "config show profile saf", "config show --o")
    *names_and_commands, options = completed(path, *lines)

    assert names_and_commands == [["publish"], ["baseline"], ["nightly"], ["safe"]]
    assert "--origin" in options


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_a_script_for_capacity(shell):
    result = CliRunner().invoke(command, [shell])

    assert result.exit_code == 0
    assert f"_CAPACITY_COMPLETE={shell}_complete" in result.stdout


def test_names_are_those_that_begin_alike():
    complete = names("targets")

    assert complete(click.Context(cli), None, "dem") == ["demo"]
    assert complete(click.Context(cli), None, "nosuch") == []
