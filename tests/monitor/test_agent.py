"""The agent as a process: what it refuses, what it serves, and a target that dies and returns."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from pydantic import TypeAdapter

from capacity.domain.resources import Resource
from capacity.domain.sample import AgentInfo, Sample
from capacity.monitor.agent import main

LISTEN = """
import socket
s = socket.create_server(('127.0.0.1', {}), backlog=200)
print(s.getsockname()[1])
held = []
def take(n): held.extend(s.accept()[0] for _ in range(n))
"""


def test_the_audit_is_printed_once_and_ends(capsys, start_child):
    child = start_child(LISTEN.format(0))
    code = main(["--audit", "--port", child.said[0]])
    said = capsys.readouterr()

    assert (code, said.err) == (0, "")
    assert f"process {child.pid}" in said.out
    assert re.search(
        r"^net\.core\.somaxconn +[\d,]+ connections +namespace +arrivals", said.out, re.MULTILINE
    )
    assert re.search(
        rf"^accept queue of port {child.said[0]} +201 connections", said.out, re.MULTILINE
    )


def test_the_audit_as_json_is_what_the_agent_would_serve(capsys, bystander, start_agent):
    assert main(["--audit", "--json", "--pid", str(bystander.pid)]) == 0

    printed = json.loads(capsys.readouterr().out)
    served = start_agent("--pid", bystander.pid).ask("/v1/info").json()

    assert printed.keys() == served.keys()
    assert printed["audit"] == served["audit"]
    assert len(printed["audit"]) >= 30
    assert TypeAdapter(AgentInfo).validate_python(served).audit[0].name == "RLIMIT_NOFILE"


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


def test_with_a_token_other_addresses_may_be_served(bystander, start_agent, tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret-of-16-letters")
    path.chmod(0o600)
    # Still the loopback: only what guards it is under test.
    options = ("--bind", "127.0.0.2", "--allow-plain-http", "--token-file", path)
    agent = start_agent("--pid", bystander.pid, *options)

    assert agent.ask("/v1/info").status_code == 401
    assert agent.ask("/v1/info", "s3cret-of-16-letters").status_code == 200
    assert agent.ask("/healthz").text == "ok\n"


def test_ipv6_is_shown_in_brackets(bystander, start_agent):
    agent = start_agent("--pid", bystander.pid, "--bind", "::1")

    assert re.fullmatch(r"agent ready on http://\[::1\]:\d+\n", agent.greeting)
    assert agent.ask("/healthz").status_code == 200


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_at_once_and_shows_in_the_exit_code(bystander, start_agent, number, code):
    agent = start_agent("--pid", bystander.pid, "--interval", 600)

    assert agent.end(number) == code


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_reader_of_the_audit_that_left_is_no_trouble_of_ours(form):
    readable, writable = os.pipe()
    os.close(readable)
    ended = subprocess.run(
        [sys.executable, "-m", "capacity.monitor", "--pid", str(os.getpid()), "--audit", *form],
        stdout=writable,
        stderr=subprocess.PIPE,
        check=False,
        timeout=20,
    )
    os.close(writable)

    assert (141, b"") == (ended.returncode, ended.stderr)


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


PLANTED = """
import resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (345, 678))
server = socket.create_server(('127.0.0.1', 0), backlog=20)
clients = [socket.create_connection(server.getsockname()) for _ in range(9)]
held = [server.accept()[0] for _ in range(4)]
ballast = b"x" * (40 << 20)
"""
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.fixture
def watched_by_nobody(start_child, start_agent):
    """A target of root's and an agent without any privilege, where that can be arranged."""
    program = [*NOBODY, sys.executable, "-c", "import capacity.monitor.agent"]
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("root and setpriv are needed to start the agent as nobody")
    if subprocess.run(program, capture_output=True, check=False).returncode:
        pytest.skip("nobody may not read this installation")
    child = start_child(PLANTED)
    command = (*NOBODY, sys.executable, "-m", "capacity.monitor")
    return child, start_agent("--pid", child.pid, "--interval", 0.1, command=command)


def test_without_privilege_everything_is_right_or_unknown_and_never_zero(
    watched_by_nobody, wait_until
):
    _child, agent = watched_by_nobody
    # The census of the first reading is not in the first sample.
    wait_until(lambda: len(agent.samples()) > 25)
    samples, info = agent.samples(), agent.ask("/v1/info").json()
    used = {key: value for each in samples for key, value in each["used"].items()}
    gauges = {key: value for each in samples for key, value in each["gauges"].items()}
    missing = {key: why for each in samples for key, why in each["missing"].items()}
    limits = {limit["resource"]: limit for limit in info["limits"]}
    audit = {entry["name"]: entry for entry in info["audit"]}

    # Standard streams, listener, nine clients' ends and four accepted ones.
    assert used["descriptors"] == 3 + 1 + 9 + 4
    assert (limits["descriptors"]["value"], audit["RLIMIT_NOFILE (hard)"]["value"]) == (345, 678)
    assert used["memory"] > 40 << 20 < gauges["resident_bytes"]
    assert limits["memory"]["value"] > 40 << 20
    assert gauges["sockets_established"] >= 18
    assert gauges["sockets_time_wait"] >= 0
    assert audit["net.core.somaxconn"]["state"] == "known"
    for name in ("application_connections", "accept_queue", "epoll_watches", "memory_maps"):
        assert name not in used
        assert name not in gauges
        assert "run the agent as the target's user or as root" in missing[name]
    assert "run the agent as the target's user or as root" in missing["slab_tcp_bytes"]
    unknown = [entry for entry in info["audit"] if entry["state"] == "unknown"]
    assert all(entry["reason"] for entry in unknown)


def test_a_zombie_is_gone_and_another_process_with_its_id_is_another(
    start_child, start_agent, wait_until
):
    parent = start_child(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)"
    )
    agent = start_agent("--pid", parent.said[0], "--interval", 0.1)
    there = wait_until(agent.samples)[-1]
    parent.do("child.kill()")  # Nobody waits for it.
    gone = wait_until(lambda: [each for each in agent.samples() if not each["target_started_at"]])
    state = Path(f"/proc/{parent.said[0]}/stat").read_text().rpartition(")")[2].split()[0]

    assert there["target_started_at"]
    assert state == "Z"
    assert "target is gone" in gone[-1]["missing"]["descriptors"]
    assert "descriptors" not in gone[-1]["used"]


def test_over_tls_it_says_so_and_is_believed(bystander, start_agent, certificate):
    options = ("--certificate", certificate.file, "--key", certificate.key)
    agent = start_agent("--pid", bystander.pid, *options)

    assert agent.url.startswith("https://127.0.0.1:")
    assert requests.get(f"{agent.url}/healthz", timeout=5, verify=certificate.file).text == "ok\n"
