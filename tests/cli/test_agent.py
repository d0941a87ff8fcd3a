"""`capacity agent` is the agent: the same arguments, the same help, the same exit codes."""

import subprocess
import sys

import pytest

CAPACITY = [sys.executable, "-m", "capacity.cli.main", "agent"]
MONITOR = [sys.executable, "-m", "capacity.monitor"]


def run(command, *arguments):
    ran = subprocess.run(
        [*command, "--listen", "0", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--help",), 0),
        ((), 2),
        (("--pid", "1", "--port", "2"), 2),
        (("--name", "no such name"), 4),
        (("--pid", "1", "--bind", "0.0.0.0"), 2),
    ],
)
def test_both_ways_of_starting_it_answer_alike(arguments, code):
    through_capacity = run(CAPACITY, *arguments)

    assert through_capacity == run(MONITOR, *arguments)
    assert through_capacity[0] == code


def test_the_help_is_the_agents_own():
    _, out, _ = run(CAPACITY, "--help")

    assert "--token-file FILE" in out
    assert "usage: capacity agent" in out
