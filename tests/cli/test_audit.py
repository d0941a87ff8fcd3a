"""The limits of a real server that is started anew with another cap, against what was recorded."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
from dataclasses import replace

import pytest
from click.testing import CliRunner

from capacity.cli.audit import command
from capacity.domain.errors import ChangedError, ConfigError, PreflightError
from capacity.monitor.serving.store import as_json
from capacity.recording.run_directory import RunWriter
from capacity.sources.border import read_info


def asked(*arguments):
    return CliRunner().invoke(command, list(map(str, arguments)))


@pytest.fixture
def start():
    """Start memcached with a cap on a port, which ends what was started before."""
    if shutil.which("memcached") is None:
        pytest.skip("memcached is not installed")
    with contextlib.ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()

        def run(most):
            stack.close()
            words = ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(port), "-c", str(most)]
            server = stack.enter_context(subprocess.Popen(words))
            stack.callback(server.kill)
            deadline_s = time.monotonic() + 30
            while time.monotonic() < deadline_s:
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    return port
                time.sleep(0.02)
            pytest.fail("memcached did not start")

        yield run


def test_every_limit_is_printed_with_its_place(start, write_target):
    result = asked(write_target(start(60)))

    assert result.exit_code == 0
    assert "connections admitted by the application" in result.stdout
    assert "-c 60, less 24 descriptors of its own" in result.stdout


def test_a_cap_that_changed_is_told_with_both_values(start, write_target, tmp_path):
    path = write_target(start(60))
    before = tmp_path / "before.json"
    before.write_text(asked(path, "--json").stdout)
    same = asked(path, "--against", before)
    start(70)
    result = asked(path, "--against", before)
    document = json.loads(asked(path, "--against", before, "--json").stdout)

    assert (same.exit_code, same.stdout) == (0, "")
    assert isinstance(result.exception, ChangedError)
    assert ChangedError.exit_code == 11
    assert result.stdout.startswith("connection limit: was 36 connections, is 46 connections (")
    # Its descriptors follow its cap. Links of the host come and go with tests that run beside.
    entries = [(change["before"], change["after"]) for change in document["changes"]]
    own = [pair for pair in entries if (pair[0] or pair[1])["scope"] in {"application", "process"}]
    assert [after and after["value"] for _, after in own] == [46, 70, 70], own


def test_limits_of_another_process_are_no_changes(start, write_target, tmp_path):
    path = write_target(start(60))
    recorded = json.loads(asked(path, "--json").stdout)
    before = tmp_path / "before.json"
    before.write_text(json.dumps(recorded))
    port = path.read_text().partition("port: ")[2].split()[0]
    elsewhere = recorded | {"target_name": "gateway", "listening_ports": [int(port)]}
    before.write_text(json.dumps(elsewhere | {"audit": []}))
    of_same_port = asked(path, "--against", before)
    before.write_text(json.dumps(elsewhere | {"audit": [], "listening_ports": None}))
    of_other_name = asked(path, "--against", before)

    assert isinstance(of_same_port.exception, ChangedError)
    assert isinstance(of_other_name.exception, PreflightError)
    assert "another process is watched now: memcached" in str(of_other_name.exception)
    assert of_other_name.stdout == ""


def test_a_run_is_compared_as_it_was_recorded(start, write_target, tmp_path, bare_manifest):
    path = write_target(start(60))
    info = read_info(asked(path, "--json").stdout.encode())
    run = tmp_path / "run"
    RunWriter(run, replace(bare_manifest, agent=info))

    assert asked(path, "--against", run).exit_code == 0
    assert read_info(as_json(info).encode()) == info


@pytest.mark.parametrize(
    ("text", "said"), [("{}", "agent_version: Field required"), ("x", "it is no JSON")]
)
def test_a_file_that_is_no_audit_is_an_error_of_the_one_who_named_it(
    write_target, tmp_path, text, said
):
    against = tmp_path / "against"
    against.write_text(text)
    result = asked(write_target(1), "--against", against)

    assert isinstance(result.exception, ConfigError)
    assert said in str(result.exception)


def test_a_target_without_an_agent_is_an_error(write_target):
    result = asked(write_target(1, agent=""))

    assert isinstance(result.exception, ConfigError)
    assert "names no agent" in str(result.exception)
