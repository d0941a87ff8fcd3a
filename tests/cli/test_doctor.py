import json

import pytest
from click.testing import CliRunner

from capacity.cli.doctor import command
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
