"""Real agents on the right process, on another one, and in front of or behind real relays."""

import runpy
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.domain.answers.finding import Status
from capacity.domain.errors import PreflightError
from capacity.domain.resources import Resource
from capacity.loadgen.checks import agent_watch
from capacity.loadgen.checks.agent_watch import _opened, watch
from capacity.loadgen.checks.preflight import check
from capacity.settings.profile import ADAPTER
from capacity.sources.agent import AgentClient

WATCHING = runpy.run_path(str(Path(__file__).with_name("watching.py")))
DIALECT = WATCHING["DIALECT"]
INFO = WATCHING["INFO"]
Told = WATCHING["Told"]
sample = WATCHING["sample"]
RELAY = """
import asyncio, sys

async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
    finally:
        writer.close()

async def relay(reader, writer):
    there = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    await asyncio.gather(pump(reader, there[1]), pump(there[0], writer), return_exceptions=True)

async def main():
    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@pytest.fixture
def start_relay():
    """Start a process that passes on every connection to a port of this host."""
    with ExitStack() as stack:

        def start(port):
            command = [sys.executable, "-c", RELAY, str(port)]
            process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            stack.callback(process.kill)
            return SimpleNamespace(
                host="127.0.0.1", port=int(process.stdout.readline()), pid=process.pid
            )

        yield start


def seen(target):
    source = AgentClient(target.agent.url)
    try:
        return watch(target, DIALECT, source, source.info())
    finally:
        source.close()


def test_an_agent_on_the_target_sees_the_connections(exchange, agent, target_file):
    found = seen(target_file(exchange, agent.url))

    assert (Status.OK, None) == (found.finding.status, found.finding.remedy)
    assert "while 5 connections were opened" in found.finding.statement
    assert found.relay is None


def test_connections_that_were_held_and_left_just_before_are_not_taken_for_the_usual(
    exchange, agent, target_file
):
    """Another check has just ended, or the same one: its connections were in the counts for a while."""
    target = target_file(exchange, agent.url)
    source = AgentClient(target.agent.url)
    readings = []
    with ExitStack() as held:
        opened = _opened(target, DIALECT, held)
        while len(readings) < 4 or len(set(readings[-4:])) > 1:
            time.sleep(0.2)
            readings = [
                sample.used[Resource.APPLICATION_CONNECTIONS]
                for sample in source.samples(0)
                if sample.used.get(Resource.APPLICATION_CONNECTIONS, 0.0) >= len(opened)
            ]
    source.close()

    assert Status.OK is seen(target).finding.status


def test_an_agent_on_another_process_is_a_failure_that_names_both(
    exchange, start_exchange, start_agent, target_file
):
    other = start_exchange()
    agent = start_agent("--pid", other.pid)
    target = target_file(exchange, agent.url)
    finding = seen(target).finding

    assert Status.FAILURE is finding.status
    assert f"(pid {other.pid})" in finding.statement
    assert f"does not listen on port {exchange.port}, as" in finding.statement
    assert f"(pid {exchange.pid}) does" in finding.statement
    assert "0 connections and 0 descriptors while 5" in finding.statement
    assert f"--pid {exchange.pid} (or --port {exchange.port})" in finding.remedy
    profile = ADAPTER.validate_python(
        {"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2, 4]}
    )
    with pytest.raises(PreflightError, match=rf"pid {other.pid}.*; start the agent with --pid"):
        check(target, profile, workers=1)


def test_a_relay_that_is_watched_is_told_with_what_stands_behind(
    exchange, start_relay, start_agent, target_file
):
    relay = start_relay(exchange.port)
    agent = start_agent("--port", relay.port)
    found = seen(target_file(relay, agent.url))
    finding = found.finding

    assert Status.WARNING is finding.status
    assert found.passes_on_to in finding.statement
    assert f"to 127.0.0.1 port {exchange.port} (" in finding.statement
    assert f"(pid {exchange.pid})" in finding.statement
    assert f"--pid {exchange.pid} to measure the service" in finding.remedy


def test_a_relay_in_front_of_what_is_watched_is_told(exchange, start_relay, agent, target_file):
    relay = start_relay(exchange.port)
    found = seen(target_file(relay, agent.url))

    assert Status.WARNING is found.finding.status
    assert f"(pid {relay.pid}), which listens on port {relay.port}" in found.relay
    assert found.relay in found.finding.statement


def test_a_process_for_each_connection_is_the_target_all_the_same(
    exchange, start_agent, target_file, tmp_path
):
    program = tmp_path / "forking.py"
    program.write_text(
        "import os, signal, socket\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "print(server.getsockname()[1], flush=True)\n"
        "while True:\n"
        "    client, _ = server.accept()\n"
        "    if os.fork() == 0:\n"
        f"        there = socket.create_connection(('127.0.0.1', {exchange.port}))\n"
        "        there.sendall(client.recv(65536))\n"
        "        client.sendall(there.recv(65536))\n"
        "        client.recv(65536)\n"
        "        os._exit(0)\n"
        "    client.close()\n"
    )
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE) as process:
        port = int(process.stdout.readline())
        agent = start_agent("--pid", process.pid)
        target = target_file(SimpleNamespace(host="127.0.0.1", port=port), agent.url)
        finding = seen(target).finding
        process.kill()

    assert finding.status in {Status.OK, Status.WARNING}
    assert "gained" not in (finding.remedy or "")


def test_a_target_that_cannot_be_reached_is_unknown(target_file, monkeypatch):
    monkeypatch.setattr(agent_watch, "CALM_S", 0.2)
    nobody = target_file(SimpleNamespace(host="127.0.0.1", port=1))
    source = Told(sample(descriptors=9.0))
    source.port_holders = lambda _port: None
    finding = watch(nobody, DIALECT, source, INFO).finding

    assert Status.UNKNOWN is finding.status
    assert "no test connection could be opened" in finding.statement


def test_five_connections_are_opened_and_take_leave(exchange, target_file):
    with ExitStack() as stack:
        sockets = _opened(target_file(exchange), DIALECT, stack)

        assert 5 == len(sockets)
        assert all(map(agent_watch._is_open, sockets))
    assert {-1} == {each.fileno() for each in sockets}
