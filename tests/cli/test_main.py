"""The command as its users meet it: what it lists, what it loads, and how it ends."""

import os
import signal
import socket
import subprocess
import sys

import click
import pytest
import yaml

from capacity.cli.main import COMMANDS, cli

CAPACITY = [sys.executable, "-m", "capacity.cli.main"]


def run(*arguments, **options):
    return subprocess.run(
        [*CAPACITY, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,
    )


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_listed_command_is_there_and_helps(name):
    command = cli.get_command(click.Context(cli), name)

    assert command is not None
    assert command.help


def test_the_help_lists_all_commands_and_imports_none():
    code = (
        "import sys; from capacity.cli.main import cli; cli(['--help'], standalone_mode=False);"
        "print(*(name for name in sys.modules if name.startswith('capacity.')))"
    )
    *shown, modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    ).stdout.splitlines()

    assert [line.split()[0] for line in shown[-len(COMMANDS) :]] == sorted(COMMANDS)
    assert set(modules.split()) == {
        "capacity.cli",
        "capacity.cli.helping",
        "capacity.cli.helping.examples",
        "capacity.cli.main",
        "capacity.cli.running",
        "capacity.cli.running.lazy_group",
        "capacity.domain",
        "capacity.domain.errors",
    }


def test_the_agent_loads_nothing_that_a_target_host_may_lack():
    code = (
        "import sys, click; from capacity.cli.main import cli;"
        "cli.get_command(click.Context(cli), 'agent'); print(*sys.modules)"
    )
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()

    assert "psutil" in modules
    assert {"numpy", "scipy", "pydantic", "locust", "rich", "yaml"}.isdisjoint(modules)


def test_an_unknown_command_is_a_usage_error():
    ended = run("measures")

    assert ended.returncode == 2
    assert "No such command 'measures'" in ended.stderr


def test_foreseeable_trouble_is_one_sentence_and_its_exit_code():
    ended = run("plan", "no-such-run")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("capacity: no-such-run: not a run")
    assert ended.stderr.count("\n") == 1


def test_ctrl_c_is_no_traceback_and_exit_code_130(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = {
            "target": 1,
            "name": "silent",
            "host": "127.0.0.1",
            "port": 1,
            "dialect": "json-push",
            "symbols": ["A"],
            "channels": ["updates"],
            "agent": {"url": f"http://127.0.0.1:{silent.getsockname()[1]}"},
        }
        target = tmp_path / "target.yaml"
        target.write_text(yaml.safe_dump(settings))
        process = subprocess.Popen(
            [*CAPACITY, "measure", "--target", target], stderr=subprocess.PIPE, text=True
        )
        silent.settimeout(120)
        connection, _address = silent.accept()
        process.send_signal(signal.SIGINT)
        _out, said = process.communicate(timeout=120)
        connection.close()

    assert (process.returncode, said) == (130, "capacity: interrupted\n")


def test_a_reader_that_left_is_no_trouble_of_ours():
    readable, writable = os.pipe()
    os.close(readable)
    ended = subprocess.run(
        [*CAPACITY, "plan", "--help"],
        stdout=writable,
        stderr=subprocess.PIPE,
        check=False,
        timeout=120,
    )
    os.close(writable)

    assert (ended.returncode, ended.stderr) == (141, b"")
