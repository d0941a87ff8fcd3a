"""Real agents on the right process, on another one, and in front of or behind real relays."""

import runpy
import socket
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
from capacity.loadgen.checks.agent_watch import _is_calm, _opened, _seen, watch
from capacity.loadgen.checks.preflight import check
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import ADAPTER
from capacity.sources.agent import AgentClient

DIALECT = load_dialect(find("dialects", "deribit"))
AGENT = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))
sample_of = AGENT["sample_of"]
INFO = AGENT["agent_info"](target_name="other")
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


COUNTS = {"application_connections", "descriptors", "threads"}


class Told:
    """A source with these samples and no others."""

    name, delay_s = "the source", 1.0

    def __init__(self, *samples, delay_s=1.0):
        self.asked, self._samples = [], samples
        self.delay_s = delay_s

    def samples(self, since):
        self.asked.append(since)
        return [sample for sample in self._samples if sample.seq > since]


def sample(seq=1, interval_s=1.0, **used):
    return sample_of(
        seq,
        interval_s=interval_s,
        used={Resource(name): value for name, value in used.items()},
        missing=dict.fromkeys(COUNTS - used.keys(), "not published"),
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Told(sample(descriptors=9.0), delay_s=17.0), "only every 17 s"),
        (Told(sample(descriptors=9.0, interval_s=15.0)), "only every 15 s"),
        (Told(sample(memory=9.0)), "neither connections nor descriptors of other"),
        (Told(sample(memory=9.0), delay_s=5.0), "neither connections nor descriptors of other"),
        (Told(sample(memory=9.0), delay_s=5.5), "only every 5.5 s"),
        (
            Told(
                *(
                    sample(seq=n, memory=9.0, interval_s=1.0 if n == 1 else 15.0)
                    for n in range(1, 31)
                )
            ),
            "neither connections nor descriptors of other",
        ),
        (
            Told(
                *(
                    sample(seq=n, memory=9.0, interval_s=1.0 if n == 1 else 15.0)
                    for n in range(1, 32)
                )
            ),
            "only every 15 s",
        ),
    ],
)
def test_a_source_that_cannot_tell_is_unknown_and_no_connection_is_opened(
    source, said, target_file, monkeypatch
):
    monkeypatch.setattr(agent_watch, "CALM_S", 0.2)
    nobody = target_file(SimpleNamespace(host="127.0.0.1", port=1))
    finding = watch(nobody, DIALECT, source, INFO).finding

    assert (Status.UNKNOWN, None) == (finding.status, finding.remedy)
    assert said in finding.statement


def test_a_target_that_cannot_be_reached_is_unknown(target_file, monkeypatch):
    monkeypatch.setattr(agent_watch, "CALM_S", 0.2)
    nobody = target_file(SimpleNamespace(host="127.0.0.1", port=1))
    source = Told(sample(descriptors=9.0))
    source.port_holders = lambda _port: None
    finding = watch(nobody, DIALECT, source, INFO).finding

    assert Status.UNKNOWN is finding.status
    assert "no test connection could be opened" in finding.statement


@pytest.mark.parametrize(("added", "is_calm"), [(-0.01, True), (0.0, False)])
def test_counts_are_calm_while_they_differ_by_less_than_what_is_looked_for(added, is_calm):
    """Half of the five connections that will be opened."""
    readings = [sample(seq=n, descriptors=10.0 + n * (1.25 + added / 2)) for n in range(3)]

    assert is_calm is _is_calm(readings)


class Slow(Told):
    """A source that has one sample more each time it is asked, and after the last one no more."""

    def samples(self, since):
        self.asked.append(since)
        return [each for each in self._samples[: len(self.asked)] if each.seq > since]


@pytest.mark.parametrize(
    ("counts", "is_seen", "said"),
    [
        ((0.0, 0.0), False, None),
        ((0.0, 5.0), True, None),
        ((0.0,), None, "not read twice"),
        ((), None, "neither its connections nor"),
    ],
    ids=["read twice and nothing came", "begun before the opening", "read once", "never read"],
)
def test_a_process_is_accused_only_when_its_counts_were_read_twice(
    counts, is_seen, said, monkeypatch
):
    monkeypatch.setattr(agent_watch, "HELD_S", 0.2)
    monkeypatch.setattr(agent_watch, "_POLL_S", 0.0)
    before = [sample(seq=n, application_connections=0.0) for n in (1, 2, 3)]
    after = [sample(seq=4 + n, application_connections=count) for n, count in enumerate(counts)]
    found = _seen(Slow(*before, *after), before, 5, 1)

    assert is_seen is found.is_seen
    assert said is None or said in found.unknown


def test_the_last_three_readings_of_each_count_are_laid_side_by_side():
    samples = [sample(seq=n, descriptors=float(n)) for n in range(1, 6)]
    samples.append(sample(seq=6, threads=7.0))

    assert [
        {"descriptors": 3.0, "threads": 7.0},
        {"descriptors": 4.0},
        {"descriptors": 5.0},
    ] == [each.used for each in agent_watch._last_readings(samples)]


def test_of_newer_samples_the_newest_reading_of_each_count_is_taken():
    samples = [sample(seq=1, descriptors=1.0, threads=2.0), sample(seq=2, descriptors=3.0)]
    (newest,) = agent_watch._newest(samples)

    assert (2, {"descriptors": 3.0, "threads": 2.0}) == (newest.seq, newest.used)
    assert [] == agent_watch._newest([])


def test_what_was_read_or_cannot_be_is_told_and_what_is_due_later_is_not():
    told = agent_watch._told([sample(descriptors=1.0)])

    assert told == COUNTS


@pytest.mark.parametrize(
    ("deed", "is_open"),
    [
        (lambda _theirs: None, True),
        (lambda theirs: theirs.send(b"x" * 200_000), True),
        (lambda theirs: theirs.shutdown(socket.SHUT_WR), False),
        (lambda theirs: (theirs.send(b"x"), theirs.shutdown(socket.SHUT_WR)), False),
    ],
    ids=["silent", "talks", "ended", "said something and ended"],
)
def test_a_connection_is_open_until_the_target_ends_it(deed, is_open):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        deed(theirs)

        assert is_open is agent_watch._is_open(ours)


class Talker:
    """A connection on which so many messages are there to be read before it ends."""

    def __init__(self, messages):
        self.left = messages

    def settimeout(self, _timeout_s):
        pass

    def recv(self, _most):
        self.left -= 1
        return b"x" if self.left >= 0 else b""


@pytest.mark.parametrize(("messages", "is_open"), [(999, False), (1000, True)])
def test_who_talks_without_end_is_read_a_thousand_times_and_is_open(messages, is_open):
    assert is_open is agent_watch._is_open(Talker(messages))


def test_five_connections_are_opened_and_take_leave(exchange, target_file):
    with ExitStack() as stack:
        sockets = _opened(target_file(exchange), DIALECT, stack)

        assert 5 == len(sockets)
        assert all(map(agent_watch._is_open, sockets))
    assert {-1} == {each.fileno() for each in sockets}


def test_counts_that_were_not_read_are_calm():
    assert _is_calm([sample(memory=1.0)])
    assert not _is_calm([sample(seq=n, threads=3.0 * n, descriptors=1.0) for n in (1, 2)])
