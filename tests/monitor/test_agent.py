"""The agent as a process: what it refuses, what it serves, and a target that dies and returns."""

import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from capacity.domain.errors import ConfigError
from capacity.domain.resources import Resource
from capacity.domain.sample import Sample
from capacity.monitor.agent import bind_address, main, read_token

LISTEN = """
import socket
s = socket.create_server(('127.0.0.1', {}), backlog=200)
print(s.getsockname()[1])
held = []
def take(n): held.extend(s.accept()[0] for _ in range(n))
"""


def refused(capsys, *arguments):
    """Return exit code and the only line on stderr."""
    code = main(["--listen", "0", *map(str, arguments)])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return code, said.err


def test_other_hosts_are_not_served_without_a_token(capsys, bystander):
    code, said = refused(capsys, "--pid", bystander.pid, "--bind", "0.0.0.0")

    assert code == 2
    assert "--bind 0.0.0.0 is reachable from other hosts: add --token-file" in said


@pytest.mark.parametrize("host", ["::", "192.0.2.1", ""])
def test_every_other_address_is_refused_likewise(capsys, bystander, host):
    assert refused(capsys, "--pid", bystander.pid, "--bind", host)[0] == 2


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (("", 0o600), "is empty"),
        ((" \n", 0o600), "is empty"),
        (("s3cret\n", 0o644), "others may read or write it; chmod o="),
        (("s3cret\n", 0o602), "others may read or write it"),
        (("two words\n", 0o600), "one word"),
        (("tab\tbed\n", 0o600), "one word"),
        (("s\u00e9cret\n", 0o600), "printable ASCII"),
        ((None, 0), "No such file"),
    ],
)
def test_a_token_that_protects_nothing_is_refused(capsys, bystander, tmp_path, written, words):
    text, mode = written
    path = tmp_path / "token"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    code, said = refused(capsys, "--pid", bystander.pid, "--token-file", path)

    assert code == 2
    assert f"--token-file {path}: " in said
    assert words in said


def test_a_token_is_read_without_its_newline(tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    path.chmod(0o640)

    assert read_token(path) == "s3cret"


def test_a_busy_port_is_a_preflight_error(capsys, bystander):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused(capsys, "--pid", bystander.pid, "--listen", port)

    assert code == 3
    assert f"cannot serve on 127.0.0.1 port {port}: Address already in use" in said


@pytest.mark.parametrize("how", [("--pid", 2**22 + 1), ("--name", "no such name"), ("--port", 1)])
def test_without_a_target_there_is_no_agent(capsys, how):
    code, said = refused(capsys, *how)

    assert code == 4
    assert said.startswith("capacity agent: ")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--pid", "1", "--name", "x"),
        ("--pid", "0"),
        ("--pid", "x"),
        ("--port", "0"),
        ("--port", "65536"),
        ("--pid", "1", "--listen", "-1"),
        ("--pid", "1", "--interval", "0"),
        ("--pid", "1", "--interval", "nan"),
        ("--pid", "1", "--keep", "0"),
        ("--pid", "1", "--bogus"),
    ],
)
def test_impossible_arguments_are_refused(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))

    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"--bind no\.such\.invalid: not an address"):
        bind_address("no.such.invalid")


@pytest.mark.parametrize(
    ("host", "address"), [("localhost", r"127\.0\.0\.1|::1"), ("127.0.0.9", r"127\.0\.0\.9")]
)
def test_names_become_addresses(host, address):
    assert re.fullmatch(address, bind_address(host))


def test_counts_over_http_equal_what_was_opened(start_child, start_agent, wait_until):
    child = start_child(LISTEN.format(0))
    port = int(child.said[0])
    agent = start_agent("--port", port, "--interval", 0.1)
    before = wait_until(agent.samples)[-1]
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(150)]
    child.do("take(150)")
    seen_before = agent.samples()[-1]["seq"]
    connections = Resource.APPLICATION_CONNECTIONS.value
    after = wait_until(
        lambda: [each for each in agent.samples(seen_before + 1) if connections in each["used"]]
    )[0]
    for client in clients:
        client.close()
    info = agent.ask("/v1/info").json()

    assert after["used"][connections] == 150
    assert after["used"]["descriptors"] - before["used"]["descriptors"] == 150
    assert info["target_pids"] == [child.pid]
    assert after["target_started_at"] == info["target_started_at"]
    assert Sample(**after).missing == after["missing"]


def test_a_target_that_dies_and_returns_is_followed(start_child, start_agent, wait_until):
    first = start_child(LISTEN.format(0))
    port = int(first.said[0])
    agent = start_agent("--port", port, "--interval", 0.1)
    there = wait_until(agent.samples)[-1]
    first.end()
    gone = wait_until(
        lambda: [each for each in agent.samples() if each["target_started_at"] is None]
    )[0]
    second = start_child(LISTEN.format(port))
    back = wait_until(
        lambda: [each for each in agent.samples(gone["seq"]) if each["target_started_at"]]
    )[0]
    seqs = [each["seq"] for each in agent.samples()]

    assert "descriptors" in there["used"]
    assert "target is gone" in gone["missing"]["descriptors"]
    assert "host_memory" in gone["used"]
    assert back["used"]["descriptors"] >= 4
    assert back["target_started_at"] > there["target_started_at"]
    assert agent.ask("/v1/info").json()["target_pids"] == [second.pid]
    assert seqs == list(range(1, len(seqs) + 1))


def test_only_the_asked_number_of_samples_is_kept(bystander, start_agent, wait_until):
    agent = start_agent("--pid", bystander.pid, "--interval", 0.1, "--keep", 3)
    wait_until(lambda: agent.samples(6))

    assert len(agent.samples()) == 3


def test_with_a_token_other_addresses_may_be_served(bystander, start_agent, tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret")
    path.chmod(0o600)
    # Still the loopback: only what guards it is under test.
    agent = start_agent("--pid", bystander.pid, "--bind", "127.0.0.1", "--token-file", path)

    assert agent.ask("/v1/info").status_code == 401
    assert agent.ask("/v1/info", "s3cret").status_code == 200
    assert agent.ask("/healthz").text == "ok\n"


def test_ipv6_is_shown_in_brackets(bystander, start_agent):
    agent = start_agent("--pid", bystander.pid, "--bind", "::1")

    assert re.fullmatch(r"agent ready on http://\[::1\]:\d+\n", agent.greeting)
    assert agent.ask("/healthz").status_code == 200


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_at_once_and_shows_in_the_exit_code(bystander, start_agent, number, code):
    agent = start_agent("--pid", bystander.pid, "--interval", 60)
    began_s = time.monotonic()

    assert agent.end(number) == code
    assert time.monotonic() - began_s < 2


def test_the_agent_needs_nothing_but_psutil(root):
    """What its imports load, in an interpreter of its own."""
    line = (
        "import sys; before = set(sys.modules); import capacity.monitor.agent;"
        "import sysconfig; site = sysconfig.get_path('purelib');"
        "print({name.partition('.')[0] for name in set(sys.modules) - before"
        " if (getattr(sys.modules[name], '__file__', '') or '').startswith(site)})"
    )
    ran = subprocess.run(
        [sys.executable, "-c", line], capture_output=True, text=True, check=True, cwd=root
    )

    assert ran.stdout.strip() == "{'psutil'}"
