"""The program `capacity` where its streams are closed, full, or in another charset."""

import os
import subprocess
import sys

import pytest

COMMANDS = [["--help"], ["agent", "--help"], ["config", "--help"], ["profile", "list"]]


def ended_with(arguments, redirection, **environment):
    words = " ".join(["-m", "capacity.cli.entry", *arguments])
    return subprocess.run(
        ["sh", "-c", f"exec {sys.executable} {words} {redirection}"],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_trouble(arguments, redirection):
    ended = ended_with(arguments, redirection)

    assert (0, b"") == (ended.returncode, ended.stderr)


# argparse, which the agent's help is from, says nothing of it.
@pytest.mark.parametrize("arguments", [COMMANDS[0], *COMMANDS[2:]])
def test_output_onto_a_full_disk_is_one_sentence_and_exit_code_3(arguments):
    ended = ended_with(arguments, "> /dev/full")

    assert 3 == ended.returncode
    assert b"capacity: cannot write: No space left on device; make room there\n" == ended.stderr


def test_what_a_charset_has_not_is_escaped(tmp_path):
    name = tmp_path / "é😀.yaml"
    ended = ended_with(
        ["doctor", "--target", f"'{name}'"], "", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )

    assert 2 == ended.returncode
    assert b"Traceback" not in ended.stderr
    assert ended.stderr.startswith(b"capacity: ")
