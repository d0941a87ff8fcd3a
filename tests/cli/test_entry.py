"""The program `capacity` where less is installed than it needs, and where all is."""

import subprocess
import sys

import pytest


def run(arguments, *, without=()):
    """Start the program where the modules of *without* cannot be imported."""
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({list(without)!r}));"
        f"sys.argv = ['capacity', *{list(arguments)!r}];"
        "from capacity.cli.entry import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )


OTHERS = ["click", "yaml", "pydantic", "numpy", "scipy", "locust", "gevent", "requests", "rich"]


def test_the_agent_starts_with_psutil_alone():
    ended = run(["agent", "--help"], without=OTHERS)

    assert (0, "") == (ended.returncode, ended.stderr)
    assert "usage: capacity agent" in ended.stdout


@pytest.mark.parametrize(
    ("missing", "arguments"),
    [("click", ["plan", "run"]), ("yaml", ["plan", "run"]), ("psutil", ["agent", "--pid", "1"])],
)
def test_a_command_without_its_modules_is_one_sentence_and_exit_code_3(missing, arguments):
    ended = run(arguments, without=[missing])

    assert 3 == ended.returncode
    assert ended.stderr.startswith(f"capacity: the module {missing} is not installed")
    assert 1 == ended.stderr.count("\n")


def test_a_part_of_our_own_that_is_missing_is_an_error_of_ours():
    ended = run(["plan", "run"], without=["capacity.cli.plan"])

    assert 1 == ended.returncode
    assert "Traceback" in ended.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["plan", "--help"]])
def test_all_else_is_clicks(arguments):
    assert 0 == run(arguments).returncode
