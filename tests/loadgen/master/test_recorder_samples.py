"""What the recorder has of the agent: samples without a gap, whatever becomes of the way, the agent and the target."""

import contextlib
import json
import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
import requests
from gevent.server import StreamServer

from capacity.loadgen.master import recorder as recorder_module
from capacity.recording.run_directory import load
from capacity.sources import web

RECORDERS = runpy.run_path(str(Path(__file__).with_name("recorders.py")))
PATIENCE_S = RECORDERS["PATIENCE_S"]
_quick = RECORDERS["_quick"]
record = RECORDERS["record"]
wait_until = RECORDERS["wait_until"]
numbers_of = RECORDERS["numbers_of"]


class Way:
    """Passes requests on to an agent, unless it is blocked."""

    def __init__(self, url):
        self.url = url
        self.is_blocked = False
        self.notes = []
        """What the agent is to say of itself from now on."""

    def __call__(self, environ, start_response):
        if self.is_blocked:
            start_response("502 Bad Gateway", [])
            return []
        path = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        answer = requests.get(self.url + path, timeout=5)
        if self.notes and environ["PATH_INFO"].endswith("/info"):
            start_response("200 OK", [])
            return [json.dumps({**answer.json(), "notes": self.notes}).encode()]
        newest = answer.headers.get("Capacity-Newest-Seq")
        start_response("200 OK", [("Capacity-Newest-Seq", newest)] if newest else [])
        return [answer.content]


def kinds_of(recorder):
    return [event.kind for event in load(recorder.path).events]


def test_only_samples_of_the_run_are_recorded_and_the_last_second_is_among_them(
    exchange, agent, target_file, record
):
    recorder = record(target_file(exchange, agent.url))
    wait_until(lambda: len(recorder.samples) >= 5)
    recorder.close("finished", {})
    run = load(recorder.path)
    (end,) = [event for event in run.events if event.kind == "finished"]
    first, *_, last = run.samples

    assert tuple(recorder.samples) == run.samples
    assert list(range(first.seq, last.seq + 1)) == numbers_of(run.samples)
    assert first.at >= recorder.started_at - 0.2
    assert 0 <= end.at - last.at < 0.5


def test_no_sample_is_lost_while_the_agent_cannot_be_reached(
    exchange, agent, target_file, record, serve
):
    way = Way(agent.url)
    recorder = record(target_file(exchange, serve(way)))
    wait_until(lambda: recorder.samples)
    way.is_blocked = True
    wait_until(lambda: "agent_lost" in kinds_of(recorder))
    held = len(recorder.samples)
    gevent.sleep(1)
    assert held == len(recorder.samples)
    way.is_blocked = False
    wait_until(lambda: "agent_back" in kinds_of(recorder))
    recorder.close("finished", {})
    samples = load(recorder.path).samples

    assert list(range(samples[0].seq, samples[-1].seq + 1)) == numbers_of(samples)
    assert len(samples) >= held + 8
    assert ["agent_lost", "agent_back", "finished"] == kinds_of(recorder)


def test_what_the_agent_comes_to_say_of_itself_is_an_event(
    exchange, agent, target_file, record, serve
):
    way = Way(agent.url)
    recorder = record(target_file(exchange, serve(way)))
    way.notes = ["samples every 2 s instead of 1 s: one takes 30 ms"]
    recorder.close("finished", {})
    [note] = [event for event in load(recorder.path).events if event.kind == "agent_note"]

    assert {"note": way.notes[0]} == note.detail


def test_an_agent_whose_answers_never_end_is_lost_and_keeps_no_record_open(
    exchange, agent, target_file, record, dripping, monkeypatch
):
    way, served = dripping(agent.url)
    recorder = record(target_file(exchange, way))
    wait_until(lambda: recorder.samples)
    monkeypatch.setattr(web, "WHOLE_S", 0.5)
    served.is_dripping = True
    recorder.close("finished", {})

    assert "agent_lost" in kinds_of(recorder)
    assert "finished" == kinds_of(recorder)[-1]
    [lost] = [event for event in load(recorder.path).events if event.kind == "agent_lost"]
    assert "took more than 0 s to answer" in lost.detail["reason"]


@pytest.fixture
def dripping():
    """Return the URL of a way to an agent whose heads drip once that is asked for, and the asker."""
    servers = []

    def start(url):
        served = SimpleNamespace(is_dripping=False)

        def serve(sock, _address):
            with contextlib.suppress(OSError):
                path = sock.recv(65536).split()[1].decode()
                if served.is_dripping:
                    while True:  # Until who asked has gone.
                        sock.sendall(b"HTTP/1.1 200 OK\r\nX: y\r\n"[:1])
                        gevent.sleep(0.05)
                answer = requests.get(url + path, timeout=5)
                newest = answer.headers.get("Capacity-Newest-Seq", "")
                sock.sendall(
                    f"HTTP/1.0 200 OK\r\nCapacity-Newest-Seq: {newest}\r\n\r\n".encode()
                    + answer.content
                )
            sock.close()

        servers.append(StreamServer(("127.0.0.1", 0), serve))
        servers[-1].start()
        return f"http://127.0.0.1:{servers[-1].server_port}", served

    yield start
    for server in servers:
        server.stop(timeout=0)


def test_an_agent_that_is_gone_at_the_end_does_not_keep_the_record_open(
    exchange, agent, target_file, record, serve
):
    way = Way(agent.url)
    recorder = record(target_file(exchange, serve(way)))
    wait_until(lambda: recorder.samples)
    way.is_blocked = True
    recorder.close("finished", {"reason": "why not"})

    assert ["agent_lost", "limits_unread", "finished"] == kinds_of(recorder)
    [unread] = [event for event in load(recorder.path).events if event.kind == "limits_unread"]
    assert 0.0 < unread.detail["since_s"] <= recorder.now() - recorder.started_at


def test_a_restarted_agent_that_counts_anew_is_followed_from_its_first_sample(
    exchange, start_agent, target_file, record
):
    agent = start_agent("--pid", exchange.pid)
    recorder = record(target_file(exchange, agent.url))
    wait_until(lambda: recorder.samples and recorder.samples[-1].seq >= 12)
    before = len(recorder.samples)
    agent.process.kill()
    agent.process.wait()
    start_agent("--pid", exchange.pid, "--listen", agent.port)
    wait_until(lambda: len(recorder.samples) >= before + 3)
    anew = numbers_of(recorder.samples[before:])
    recorder.close("finished", {})

    assert list(range(1, len(anew) + 1)) == anew
    assert numbers_of(recorder.samples) == numbers_of(load(recorder.path).samples)


def test_a_target_that_goes_is_noted_once(start_exchange, start_agent, target_file, record):
    exchange = start_exchange()
    agent = start_agent("--pid", exchange.pid)
    recorder = record(target_file(exchange, agent.url))
    wait_until(lambda: recorder.samples)
    exchange.process.kill()
    exchange.process.wait()
    wait_until(lambda: "target_gone" in kinds_of(recorder))
    gevent.sleep(0.5)
    recorder.close("aborted", {})

    assert ["target_gone", "aborted"] == kinds_of(recorder)


def test_a_target_that_is_replaced_is_noted_as_restarted(
    start_exchange, start_agent, target_file, record
):
    exchange = start_exchange()
    agent = start_agent("--port", exchange.port)
    recorder = record(target_file(exchange, agent.url))
    wait_until(lambda: recorder.samples)
    exchange.process.kill()
    exchange.process.wait()
    wait_until(lambda: "target_gone" in kinds_of(recorder))
    start_exchange("--port", exchange.port)
    wait_until(lambda: "target_restarted" in kinds_of(recorder))

    assert ["target_gone", "target_restarted"] == kinds_of(recorder)


def test_without_an_agent_nothing_is_fetched(exchange, target_file, record):
    recorder = record(target_file(exchange))
    recorder.close("finished", {})

    assert recorder.fetching is None
    assert () == load(recorder.path).missing[1:]
    assert ["finished"] == kinds_of(recorder)


@pytest.mark.parametrize(("offset_s", "waits"), [(-5.0, 0), (-3.0, 1), (5.0, 9), (None, 4)])
def test_samples_are_waited_for_until_the_agents_clock_has_that_moment(
    exchange, target_file, record, monkeypatch, offset_s, waits
):
    recorder = record(target_file(exchange))
    offset = None if offset_s is None else SimpleNamespace(offset_s=offset_s)
    agent = SimpleNamespace(delay_s=PATIENCE_S)
    preflight = replace(recorder._preflight, agent=agent, clock_offset=offset)
    monkeypatch.setattr(recorder, "_preflight", preflight)
    monkeypatch.setattr(recorder, "_note_changed_limits", lambda: None)
    recorder.samples.append(SimpleNamespace(at=96.0))

    def a_second_passes(_seconds):
        recorder.samples.append(SimpleNamespace(at=recorder.samples[-1].at + 1.0))

    monkeypatch.setattr(recorder_module.gevent, "sleep", a_second_passes)
    recorder.catch_up(100.0)

    assert 1 + waits == len(recorder.samples)
