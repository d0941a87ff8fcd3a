"""What is wrong before a run begins: one sentence, what to do, the documented exit code, no process left.

Real commands, real targets: files, addresses, ports, descriptors, folders.
"""

import os
import re
import resource
import runpy
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

STARTED_COMMANDS = runpy.run_path(str(Path(__file__).with_name("started_commands.py")))
TARGET = STARTED_COMMANDS["TARGET"]
PROFILE = STARTED_COMMANDS["PROFILE"]
SAFE = STARTED_COMMANDS["SAFE"]
fixture_start = STARTED_COMMANDS["fixture_start"]
ready = STARTED_COMMANDS["ready"]
written = STARTED_COMMANDS["written"]
fixture_target_settings = STARTED_COMMANDS["fixture_target_settings"]
pytestmark = [pytest.mark.end_to_end, pytest.mark.long]
JOB = {"job": 1, "name": "nightly", "target": "demo", "profile": "quick"}


def refusal(start, *arguments, **options):
    """Return exit code and message of a command that cannot begin, once it has left nothing."""
    command = start(*arguments, **options)
    code = command.wait()

    assert "Traceback" not in command.said
    assert command.wait_until_gone() == []
    return code, command.said


def is_one_sentence(said):
    return said.startswith("capacity: ") and said.count("\n") == 1


DIALECT = yaml.safe_load((Path(__file__).parents[2] / "config/dialects/json-push.yaml").read_text())


@pytest.mark.parametrize(
    ("kind", "settings", "line", "said"),
    [
        ("target", TARGET | {"prot": 8080}, "prot: 8080", "prot: unknown key; did you mean port?"),
        ("target", TARGET | {"port": "8080"}, "port: '8080'", "port: must be a whole number"),
        ("target", TARGET | {"port": 0}, "port: 0", "port: must be greater than or equal to 1"),
        ("target", TARGET | {"dialect": "derbit"}, "dialect: derbit", "did you mean deribit?"),
        ("target", TARGET | {"channels": ["tickers"]}, "- tickers", "deribit has no channel"),
        ("target", TARGET | {"agent": {"url": "ftp://x"}}, "url: ftp://x", "agent.url: must be"),
        ("profile", PROFILE | {"plateaus_s": 2}, "plateaus_s: 2", "did you mean plateau_s?"),
        ("profile", PROFILE | {"settle_s": "long"}, "settle_s: long", "must be a number"),
        ("profile", PROFILE | {"kind": "rampe"}, "kind: rampe", "must be one of"),
        ("profile", PROFILE | {"levels": [40, 20]}, "- 20", "must be higher than the level before"),
        (
            "profile",
            SAFE | {"fraction": 0.9},
            "fraction: 0.9",
            "must be less than or equal to 0.25",
        ),
        ("dialect", DIALECT | {"date": {}}, "date: {}", "date: unknown key; did you mean data?"),
        ("dialect", DIALECT | {"sequence": 5}, "sequence: 5", "sequence: must be a list"),
        (
            "dialect",
            DIALECT | {"time": {"path": "ts", "unit": "h"}},
            "unit: h",
            "time.unit: must be",
        ),
        ("job", JOB | {"worker": 2}, "worker: 2", "worker: unknown key; did you mean workers?"),
        ("job", JOB | {"workers": 0}, "workers: 0", "workers: must be greater than or equal to 1"),
        ("job", JOB | {"target": "nope"}, "target: nope", "target: config/targets has no 'nope'"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_file_line_and_key(
    start, tmp_path, kind, settings, line, said
):
    wrong = written(tmp_path / "wrong.yaml", settings)
    target = wrong
    if kind == "dialect":
        target = written(tmp_path / "target.yaml", TARGET | {"dialect": str(wrong)})
    commands = {
        "target": ("measure", "--target", target),
        "dialect": ("measure", "--target", target),
        "profile": ("measure", "--target", "demo", "--profile", wrong),
        "job": ("scheduled", wrong),
    }
    code, message = refusal(start, *commands[kind])
    lines = [text.strip() for text in wrong.read_text().splitlines()]

    assert code == 2
    assert is_one_sentence(message)
    assert f"{wrong}:{lines.index(line) + 1}: " in message
    assert said in message


@pytest.mark.parametrize(
    "arguments",
    [
        ("measure", "--target", "nope"),
        ("measure", "--target", "nope.yaml"),
        ("measure", "--target", "demo", "--profile", "nope"),
        ("demo", "--profile", "nope"),
        ("scheduled", "nope"),
        ("plan", "nope"),
        ("report", "nope"),
    ],
)
def test_what_does_not_exist_is_named_and_nothing_begins(start, tmp_path, arguments):
    code, message = refusal(start, *arguments, cwd=tmp_path)

    assert code == 2
    assert is_one_sentence(message)
    assert "nope" in message
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(name="dead_port")
def fixture_dead_port():
    """A port where nothing listens, and nothing else will while the test runs."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture(name="http_port")
def fixture_http_port():
    """The port of a server that knows pages and no WebSocket."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_target_that_is_down_is_said_with_its_address(start, tmp_path, dead_port):
    target = written(tmp_path / "target.yaml", TARGET | {"port": dead_port})
    code, message = refusal(start, "measure", "--target", target)

    assert code == 4
    assert is_one_sentence(message)
    assert f"127.0.0.1:{dead_port}" in message
    assert "start the target" in message


def test_a_target_that_is_plain_http_is_told_from_one_that_is_down(start, tmp_path, http_port):
    target = written(tmp_path / "target.yaml", TARGET | {"port": http_port})
    code, message = refusal(start, "measure", "--target", target)

    assert code == 4
    assert is_one_sentence(message)
    assert "no WebSocket there" in message
    assert "501" in message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dialect": "url-subscribe", "channels": ["updates"], "rest": None}, "dialect"),
        ({"symbols": ["NO-SUCH"]}, "correct channels and symbols"),
        ({"agent": {"url": "http://127.0.0.1:9"}}, "capacity agent --port"),
        ({"tls": True}, "tls"),
    ],
)
def test_a_target_file_that_does_not_fit_its_target_is_found_before_the_run(
    start, tmp_path, target_settings, changes, said
):
    target = written(tmp_path / "target.yaml", target_settings | changes)
    code, message = refusal(start, "measure", "--target", target, cwd=tmp_path)

    assert code == 4
    assert is_one_sentence(message)
    assert said in message
    assert not (tmp_path / "reports").exists(), "nothing is left"


@pytest.mark.parametrize("given", ["wrong", None])
def test_an_agent_that_refuses_the_token_is_told_from_one_that_is_away(
    start, tmp_path, target_settings, given
):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    for path in (right, wrong):
        path.write_text(path.name * 8)
        path.chmod(0o600)
    agent = start("agent", "--pid", os.getpid(), "--listen", "0", "--token-file", right)
    settings = {"url": ready(agent, "agent")}
    if given:
        settings["token_file"] = str(wrong)
    target = written(tmp_path / "target.yaml", target_settings | {"agent": settings})
    code, message = refusal(start, "measure", "--target", target)

    assert code == 4
    assert is_one_sentence(message)
    assert "refuses the token" in message
    assert "agent.token_file" in message


@pytest.mark.parametrize(
    "arguments",
    [("exchange", "--port"), ("agent", "--pid", str(os.getpid()), "--listen")],
    ids=["exchange", "agent"],
)
def test_a_busy_port_is_said_with_the_option_that_changes_it(start, http_port, arguments):
    code, message = refusal(start, *arguments, http_port)

    assert code == 3
    assert message.count("\n") == 1
    assert re.match(rf"capacity.*{http_port}: Address already in use; choose another", message)
    assert arguments[-1] in message


def test_too_few_descriptors_are_said_with_the_workers_that_would_do(
    start, tmp_path, target_settings
):
    target = written(tmp_path / "target.yaml", target_settings)
    profile = written(tmp_path / "profile.yaml", PROFILE)
    few = (130, 130)
    code, message = refusal(
        start,
        *("measure", "--target", target, "--profile", profile),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few),
    )

    assert code == 3
    assert is_one_sentence(message)
    assert "use --workers 2" in message


def test_a_run_is_never_overwritten(start, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    code, message = refusal(start, "measure", "--target", "demo", "--run", tmp_path)

    assert code == 3
    assert is_one_sentence(message)
    assert "choose another directory" in message
    assert (tmp_path / "run.json").read_text() == "{}"


def test_a_run_that_cannot_be_written_is_said_before_any_load(start, tmp_path, target_settings):
    target = written(tmp_path / "target.yaml", target_settings)
    blocked = tmp_path / "target.yaml" / "run"
    command = start("measure", "--target", target, "--run", blocked)

    assert command.wait() == 2
    assert is_one_sentence(command.said.partition("\n")[2])
    assert str(blocked) in command.said
