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


def completed(path, *words):
    """Return what a real bash offers for the last of the words, with the script as documented."""
    script = (
        'eval "$(capacity completion bash)"; COMP_CWORD=$(($# - 1)); COMP_WORDS=("$@");'
        ' complete -p capacity >/dev/null && _capacity_completion capacity "${!#}" "";'
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("bash is not installed")
    done = subprocess.run(
        [shell, "-c", script, "bash", "capacity", *words],
        capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "PATH": path},
    )  # fmt: skip
    return done.stdout.split()


def test_bash_completes_commands_options_and_names(path, root, monkeypatch):
    monkeypatch.chdir(root)

    assert completed(path, "pu") == ["publish"]
    assert completed(path, "history", "base") == ["baseline"]
    assert completed(path, "scheduled", "night") == ["nightly"]
    assert completed(path, "config", "show", "profile", "saf") == ["safe"]
    assert "--origin" in completed(path, "config", "show", "--o")


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_a_script_for_capacity(shell):
    result = CliRunner().invoke(command, [shell])

    assert result.exit_code == 0
    assert f"_CAPACITY_COMPLETE={shell}_complete" in result.stdout


def test_names_are_those_that_begin_alike():
    complete = names("targets")

    assert complete(click.Context(cli), None, "dem") == ["demo"]
    assert complete(click.Context(cli), None, "nosuch") == []
