import io
import json
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest
from click.testing import CliRunner
from rich.console import Console

from capacity.cli.doctor import _section, command
from capacity.cli.helping.tables import print_table
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import ConfigError, PreflightError

TARGET = """\
target: 1
name: nobody
host: 127.0.0.1
port: 1
dialect: json-push
symbols: [x]
channels: [updates]
"""


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "target.yaml"
    path.write_text(TARGET)
    return str(path)


def asked(*arguments):
    return CliRunner().invoke(command, arguments)


def test_a_run_that_cannot_succeed_is_told_after_everything_was_looked_at(target):
    result = asked("--target", target, "--profile", "ramp")

    assert isinstance(result.exception, PreflightError)
    assert "1 check failed, the first: ws://127.0.0.1:1" in str(result.exception)
    assert "connect_refused" in result.output
    assert "disk" in result.output


def test_the_document_has_every_finding_with_its_fix(target):
    result = asked("--target", target, "--profile", "ramp", "--json")
    document = json.loads(result.stdout)

    assert document["can_succeed"] is False
    (failed,) = [each for each in document["findings"] if each["status"] == "failure"]
    assert "handshake and subscription" == failed["name"]
    assert failed["remedy"].startswith("Start the target, or correct host and port")


def test_a_file_that_is_wrong_is_no_finding_but_an_error(tmp_path):
    path = tmp_path / "target.yaml"
    path.write_text(TARGET.replace("port: 1", "port: 70000"))
    result = asked("--target", str(path))

    assert isinstance(result.exception, ConfigError)
    assert ":4: port:" in str(result.exception)


def test_a_target_that_accepts_and_says_nothing_is_named_with_its_phase(tmp_path):
    """In processes of their own, without gevent as the command's is; both wait at the same time."""
    with socket.create_server(("127.0.0.1", 0)) as mute, ExitStack() as stack:
        port, asked = mute.getsockname()[1], []
        for tls in ("false", "true"):
            target = tmp_path / f"tls-{tls}.yaml"
            target.write_text(
                f"target: 1\nname: mute\nhost: 127.0.0.1\nport: {port}\ntls: {tls}\n"
                "dialect: deribit\nsymbols: [BTC-PERPETUAL]\nchannels: [ticker]\n"
                "rest: {operation: ticker}\n"
            )
            argv = [sys.executable, "-m", "capacity.cli.main", "doctor", "--json"]
            argv += ["--target", str(target)]
            process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            asked.append(stack.enter_context(process))
            stack.callback(process.kill)
        answers = [(process.communicate(timeout=60)[0], process.returncode) for process in asked]

    for said, code in answers:
        failed = {
            each["name"]: each["statement"]
            for each in json.loads(said)["findings"]
            if each["status"] == "failure"
        }
        assert PreflightError.exit_code == code
        assert "took the connection and did not answer" in failed["handshake and subscription"]
        assert "no answer to the REST request" in failed["REST request"]


def test_findings_that_quote_an_agent_move_nothing_on_the_terminal():
    attack = "\x1b]0;PWNED\x07\x1b[2J[red]"
    finding = Finding(name="agent", status=Status.WARNING, statement=attack, remedy=attack)
    console = Console(file=io.StringIO(), width=160)
    print_table(_section([finding]), console)
    text = console.file.getvalue()

    assert not set("\x1b\x07") & set(text)
    assert 2 == text.count("PWNED") == text.count("[red]")
