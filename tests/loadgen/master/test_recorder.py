"""Real agents whose samples are fetched into a real record, whatever happens to the way there."""

import runpy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.domain.errors import ConfigError
from capacity.domain.histogram import Histogram, bucket_of
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.loadgen.master import recorder as recorder_module
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.steps.repeated_steps import NEWEST_OF_A_LOAD
from capacity.recording.run_directory import load
from capacity.settings.profile import ADAPTER

RECORDERS = runpy.run_path(str(Path(__file__).with_name("recorders.py")))
_quick = RECORDERS["_quick"]
record = RECORDERS["record"]
wait_until = RECORDERS["wait_until"]
numbers_of = RECORDERS["numbers_of"]
point_of = runpy.run_path(str(Path(__file__).parents[2] / "bare_records.py"))["point_of"]
MOST_POINTS = 1200
MOST_UNMATCHED = 10


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


def test_words_that_differ_in_the_time_to_wait_alone_are_kept_once():
    told = []
    recorder = Recorder.__new__(Recorder)
    recorder._said = set()
    recorder.event = lambda _kind, text: told.append(text)
    words = [f'429 Too Many Requests, Retry-After: {left_s}, {{"code":-1034}}' for left_s in (9, 8)]
    recorder.said([*words, words[0].replace("1034", "1003")])

    assert [words[0], words[0].replace("1034", "1003")] == told


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
