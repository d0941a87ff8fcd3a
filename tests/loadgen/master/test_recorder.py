"""Real agents whose samples are fetched into a real record, whatever happens to the way there."""

import contextlib
import json
import runpy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
import requests
from gevent.server import StreamServer

from capacity.domain.errors import ConfigError
from capacity.domain.histogram import Histogram, bucket_of
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.loadgen.checks.preflight import check
from capacity.loadgen.master import recorder as recorder_module
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.steps.repeated_steps import NEWEST_OF_A_LOAD
from capacity.recording.run_directory import load
from capacity.settings.profile import ADAPTER
from capacity.sources import web

point_of = runpy.run_path(str(Path(__file__).parents[2] / "bare_records.py"))["point_of"]

MOST_POINTS = 1200
MOST_UNMATCHED = 10

PROFILE = ADAPTER.validate_python({"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2]})
PATIENCE_S = 10


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(recorder_module, "FETCH_INTERVAL_S", 0.15)


@pytest.fixture
def record(tmp_path):
    """Begin the record of a run against a target; its fetching ends with the test."""
    begun = []

    def begin(target, profile=PROFILE):
        preflight = check(target, PROFILE, workers=1)
        begun.append(Recorder(tmp_path / "run", target, profile, preflight, 1))
        return begun[-1]

    yield begin
    gevent.killall([recorder.fetching for recorder in begun if recorder.fetching is not None])


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


def wait_until(condition):
    with gevent.Timeout(PATIENCE_S):
        while not condition():
            gevent.sleep(0.02)


def numbers_of(samples):
    return [sample.seq for sample in samples]


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


def test_the_manifest_says_what_was_known_before_the_first_connection(
    exchange, agent, target_file, record
):
    recorder = record(target_file(exchange, agent.url))
    manifest = load(recorder.path).manifest

    assert ("run", "here", "tiny") == (
        manifest.run,
        manifest.target.name,
        manifest.profile["name"],
    )
    assert exchange.pid in manifest.agent.target_pids
    assert [0, 2] == [step.connections for step in manifest.steps]


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


def test_examples_of_unmatched_frames_are_noted_once_and_not_without_end(
    start_exchange, target_file, record
):
    recorder = record(target_file(start_exchange(), None))
    for _ in range(2):
        recorder.unmatched(f"no rule for: {number}" for number in range(100))
    recorder.close("finished", {})
    noted = [event for event in load(recorder.path).events if event.kind == "unmatched_frame"]

    assert MOST_UNMATCHED == len(noted)
    assert {"reason": "no rule for: 0"} == noted[0].detail


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


def test_steps_points_and_histograms_are_on_disk_as_soon_as_they_are_told(
    exchange, target_file, record, bare_step
):
    recorder = record(target_file(exchange))
    histogram = Histogram({bucket_of(1000): 1, bucket_of(2000): 1})
    point = point_of(phase="ramp", open_connections=2, deliveries_per_s=3.0, failures=5)
    recorder.point(point)
    recorder.step(bare_step, {"lag": histogram})
    run = load(recorder.path)

    assert ((point,), (bare_step,)) == (run.points, run.steps)
    assert histogram.counts == run.histograms[0, "lag"].counts


def test_steps_that_repeat_a_load_are_forgotten_and_stay_on_disk(
    exchange, agent, target_file, record, bare_step
):
    recorder = record(target_file(exchange, agent.url))
    wait_until(lambda: len(recorder.samples) >= 3)
    first = recorder.samples[1].at
    for n in range(NEWEST_OF_A_LOAD + 2):
        # All samples that there are fall into the second step.
        began_at = 0.0 if n == 0 else first - 10 if n == 1 else first + 1000 * n
        step = replace(bare_step, index=n, started_at=began_at)
        recorder.step(step, {"lag": Histogram({1: n + 1})})
    kept = recorder.record()
    wait_until(lambda: recorder.samples[-1] is not recorder.samples[0])
    recorder.close("finished", {})
    run = load(recorder.path)

    assert [0, *range(2, NEWEST_OF_A_LOAD + 2)] == [step.index for step in kept.steps]
    assert {(step.index, "lag") for step in kept.steps} == kept.histograms.keys()
    assert len(kept.samples) < 3
    assert list(range(NEWEST_OF_A_LOAD + 2)) == [step.index for step in run.steps]
    assert len(run.samples) == len(recorder.samples)
    numbers = numbers_of(run.samples)
    assert list(range(numbers[0], numbers[-1] + 1)) == numbers


def test_a_search_keeps_all_that_it_decides_from(exchange, target_file, record, bare_step):
    profile = ADAPTER.validate_python({"profile": 1, "name": "safe", "kind": "safe"})
    recorder = record(target_file(exchange), profile)
    for n in range(NEWEST_OF_A_LOAD + 3):
        recorder.step(replace(bare_step, index=n), {})

    assert NEWEST_OF_A_LOAD + 3 == len(recorder.record().steps)


@pytest.mark.parametrize(
    "seconds", [1, MOST_POINTS, MOST_POINTS + 1, MOST_POINTS + 2, 4 * MOST_POINTS + 7]
)
def test_points_of_long_runs_are_thinned_evenly_from_the_first_to_the_newest(
    exchange, target_file, record, seconds
):
    recorder = record(target_file(exchange))
    for second in range(seconds):
        recorder.point(point_of(at=float(second)))
    kept = [each.at for each in recorder.points]
    *gaps, last = [later - earlier for earlier, later in pairwise(kept)] or [0.0]

    assert (0.0, seconds - 1.0) == (kept[0], kept[-1])
    assert len(kept) <= MOST_POINTS
    assert len(set(gaps)) <= 1, "as dense at the beginning as at the end"
    assert last <= max([*gaps, 1.0])


def test_a_run_is_never_recorded_over_another(exchange, target_file, record):
    record(target_file(exchange))
    with pytest.raises(ConfigError, match="there is a run already"):
        record(target_file(exchange))


@pytest.fixture
def bare_step():
    from capacity.loadgen.master.steps.step_summary import observe
    from capacity.workload.profiles.profile import Mix, Pace, Phase, ramp_steps

    mix = Mix(subscriptions_per_connection=1, requests_per_s_per_connection=0, poll_interval_s=1)
    pace = Pace(connects_per_s=1, ramp_timeout_s=1, settle_s=1, plateau_s=1)
    return observe(
        index=0,
        step=ramp_steps(levels=[1], mix=mix, pace=pace)[0],
        times={Phase.RAMP: 1.0},
        ended_at=2.0,
        merged_counts={},
        connections_peak=0,
        users=0,
        workers=1,
        disturbances=(),
    )


def test_what_the_target_said_is_noted_once_and_not_without_end(
    start_exchange, target_file, record
):
    recorder = record(target_file(start_exchange(), None))
    for _ in range(2):
        recorder.said(f"closed with {1000 + number}" for number in range(100))
    recorder.close("finished", {})
    noted = [event for event in load(recorder.path).events if event.kind == "target_said"]

    assert MOST_UNMATCHED == len(noted)
    assert {"text": "closed with 1000"} == noted[0].detail


def limit(value, state=LimitState.KNOWN):
    return Limit(
        resource=Resource.OUTGOING_PORTS, state=state, value=value, scope="host", source="/planted"
    )


@pytest.mark.parametrize(
    ("now", "before", "is_another"),
    [
        (limit(101.0), limit(100.0), False),
        (limit(101.1), limit(100.0), True),
        (limit(99.0), limit(100.0), False),
        (limit(98.9), limit(100.0), True),
        (limit(None, LimitState.UNKNOWN), limit(100.0), True),
        (limit(None, LimitState.UNKNOWN), limit(None, LimitState.UNKNOWN), False),
    ],
)
def test_a_limit_is_another_one_beyond_a_hundredth_of_it(now, before, is_another):
    assert is_another is recorder_module._is_another(now, before)


def test_from_twenty_minutes_on_every_second_point_is_let_go_and_all_are_written():
    written = []
    recorder = Recorder.__new__(Recorder)
    recorder.points, recorder._points_seen, recorder._every = [], 0, 1
    recorder._writer = SimpleNamespace(append_point=written.append)
    for number in range(1200):
        recorder.point(number)
    before = list(recorder.points)
    recorder.point(1200)
    thinned = list(recorder.points)
    recorder.point(1201)
    with_the_newest = list(recorder.points)
    recorder.point(1202)

    assert list(range(1200)) == before
    assert list(range(0, 1201, 2)) == thinned
    assert [*range(0, 1201, 2), 1201] == with_the_newest
    assert list(range(0, 1203, 2)) == recorder.points
    assert list(range(1203)) == written


def test_ten_examples_are_kept_of_what_the_target_said_and_of_what_was_not_understood():
    told = []
    recorder = Recorder.__new__(Recorder)
    recorder._unmatched, recorder._said = set(), set()
    recorder.event = lambda kind, **_detail: told.append(kind)
    for number in (*range(12), 0):
        recorder.unmatched([str(number)])
        recorder.said([str(number)])

    assert (10, 10) == (told.count("unmatched_frame"), told.count("target_said"))


@pytest.mark.parametrize(
    ("started_at", "kinds"),
    [
        ((1.0, 1.0), []),
        ((1.0, None, None), ["target_gone"]),
        ((None, 2.0, 2.0), ["target_gone", "target_restarted"]),
    ],
)
def test_each_change_of_the_target_is_told_once(started_at, kinds):
    told = []
    recorder = Recorder.__new__(Recorder)
    recorder._target_started_at = 1.0
    recorder.event = lambda kind, **detail: told.append((kind, detail["sample_at"]))
    recorder._watch_target(
        [SimpleNamespace(target_started_at=each, at=n) for n, each in enumerate(started_at)]
    )

    assert kinds == [kind for kind, _at in told]
