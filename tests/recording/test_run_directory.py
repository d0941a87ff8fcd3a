import json
import os
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.domain.histogram import Histogram
from capacity.domain.observation import Quantiles, StepObservation
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.run import ClockOffset, RunEvent, RunManifest
from capacity.domain.sample import AgentInfo, Sample
from capacity.domain.target import TargetSpec
from capacity.recording.run_directory import FORMAT_VERSION, RunWriter, is_run, load

RECORDS = runpy.run_path(str(Path(__file__).parents[1] / "bare_records.py"))
STEP = RECORDS["step_of"]()
MANIFEST = RunManifest(
    format_version=FORMAT_VERSION,
    product_version="0",
    run="a-run",
    started_at=1.0,
    target=TargetSpec.from_document({"name": "t"}),
    profile={"name": "p"},
    steps=(STEP,),
    audited_bound=100,
    audited_by="descriptors",
    agent=AgentInfo(
        agent_version="0",
        host="h",
        kernel="k",
        cores=2,
        memory_bytes=1,
        boot_id="b",
        target_name="t",
        target_pids=(1, 2),
        target_started_at=0.5,
        limits=(
            Limit(
                resource=Resource.DESCRIPTORS,
                state=LimitState.KNOWN,
                value=100.0,
                scope="process",
                source="/proc/1/limits",
            ),
        ),
        now=1.0,
    ),
    clock_offset=ClockOffset(offset_s=0.1, error_s=0.01),
    generator={"workers": 1},
    same_host=True,
)
OBSERVATION = StepObservation(
    index=0,
    step=STEP,
    started_at=1.0,
    plateau_started_at=None,
    plateau_ended_at=None,
    load=None,
    users=10,
    connections_peak=7,
    connects=7,
    failures={"connect_refused": 3},
    lost=0,
    gaps=0,
    unmatched=0,
    delivery_delay=None,
    request_latency=None,
    handshake_time=None,
    opening={"tcp": Quantiles(count=7, p50_s=0.1, p95_s=0.2, p99_s=0.2, max_s=0.3)},
    generator=None,
    void=None,
)
SAMPLE = Sample(
    seq=1,
    at=2.0,
    interval_s=1.0,
    used={Resource.DESCRIPTORS: 12.0},
    gauges={"accept_queue": 0.0},
    counters={},
    missing={"conntrack": "module not loaded"},
    target_started_at=0.5,
)


@pytest.fixture
def run(tmp_path):
    return tmp_path / "a-run"


def test_a_step_recorded_before_there_were_phases_has_none(run):
    writer = RunWriter(run, MANIFEST)
    writer.append_step(OBSERVATION)
    file = run / "steps.jsonl"
    step = json.loads(file.read_bytes())
    for name in ("opening", "request_opening", "not_modified", "body_age"):
        del step[name]
    file.write_text(json.dumps(step) + "\n")

    assert (replace(OBSERVATION, opening={}),) == load(run).steps


def test_a_run_is_read_back_as_it_was_written(run):
    writer = RunWriter(run, MANIFEST)
    writer.append_step(OBSERVATION)
    writer.append_samples([SAMPLE, replace(SAMPLE, seq=2)])
    writer.append_histogram(0, "lag", Histogram({5: 2, 300: 1}))
    point = RECORDS["point_of"](at=2.0, phase="ramp", open_connections=1)
    writer.append_point(point)
    writer.append_event(RunEvent(at=9.0, kind="finished", detail={"reason": "x"}))
    record = load(run)

    assert MANIFEST == record.manifest
    assert (OBSERVATION,) == record.steps
    assert (SAMPLE, replace(SAMPLE, seq=2)) == record.samples
    assert {5: 2, 300: 1} == record.histograms[0, "lag"].counts
    assert (point,) == record.points
    assert () == record.missing


def test_a_run_is_never_overwritten(run):
    RunWriter(run, MANIFEST)
    with pytest.raises(ConfigError, match="never overwritten"):
        RunWriter(run, replace(MANIFEST, product_version="1"))

    assert "0" == load(run).manifest.product_version


@pytest.mark.parametrize("kept_bytes", range(0, 400, 37))
def test_a_writer_killed_in_the_middle_of_a_line_leaves_a_loadable_run(run, kept_bytes):
    writer = RunWriter(run, MANIFEST)
    writer.append_samples([SAMPLE])
    whole = (run / "samples.jsonl").read_bytes()
    with (run / "samples.jsonl").open("ab") as file:
        file.write(whole[:kept_bytes])
    record = load(run)

    assert SAMPLE == record.samples[0]
    assert any("still going on, or was killed" in text for text in record.missing)


def test_an_unfinished_run_says_what_is_missing(run):
    writer = RunWriter(run, MANIFEST)
    writer.append_event(RunEvent(at=9.0, kind="aborted", detail={"reason": "Ctrl-C"}))

    assert (
        "the end: the run was aborted (Ctrl-C)",
        "1 of 1 steps",
        "every sample of the agent",
    ) == load(run).missing


@pytest.mark.parametrize(
    ("recorded", "end", "said"),
    [
        ((0, 1, 2), "finished", ()),
        ((0, 2), "finished", ("1 of 3 steps",)),
        ((0, 1), "finished", ("1 of 3 steps",)),
        ((0, 1), None, ()),
        ((1,), None, ("1 of 2 steps",)),
    ],
)
def test_a_step_that_was_begun_and_is_not_recorded_is_missing(run, recorded, end, said):
    """Of a climb, the manifest does not know how many steps there will be."""
    writer = RunWriter(run, replace(MANIFEST, steps=(), agent=None))
    for index in range(3):
        writer.append_event(RunEvent(at=1.0, kind="phase", detail={"index": index}))
    for index in recorded:
        writer.append_step(replace(OBSERVATION, index=index))
    if end is not None:
        writer.append_event(RunEvent(at=2.0, kind=end, detail={}))

    assert said == tuple(text for text in load(run).missing if not text.startswith("the end"))


def test_a_directory_without_a_manifest_is_no_run(tmp_path):
    assert not is_run(tmp_path)
    with pytest.raises(ConfigError, match="not a run"):
        load(tmp_path)


def test_a_run_of_a_newer_format_is_refused_with_the_remedy(run):
    RunWriter(run, MANIFEST)
    document = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**document, "format_version": FORMAT_VERSION + 1}))

    with pytest.raises(ConfigError, match="update it"):
        load(run)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format_version": 1}', '{"format_version": "x"}']
)
def test_a_damaged_manifest_is_one_sentence(run, text):
    RunWriter(run, MANIFEST)
    (run / "run.json").write_text(text)

    with pytest.raises(ConfigError, match="not a run's manifest"):
        load(run)


@pytest.mark.parametrize("version", [0, -1])
def test_a_format_that_never_was_is_refused(run, version):
    RunWriter(run, MANIFEST)
    document = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**document, "format_version": version}))

    with pytest.raises(ConfigError, match=f"there was never a format {version}"):
        load(run)


def test_a_manifest_nested_without_end_is_one_sentence(run):
    RunWriter(run, MANIFEST)
    (run / "run.json").write_text("[" * 100_000)

    with pytest.raises(ConfigError, match=r"not a run's manifest \(nested too deep\)$"):
        load(run)


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        '{"step": 0, "series": "lag", "counts": [1]}',
        '{"step": 0, "series": "lag", "counts": {"x": 1}}',
        '{"step": 0, "series": "lag", "counts": {"5": "x"}}',
        '{"step": 0, "series": "lag", "counts": {"5": -1}}',
        '{"step": 0, "series": "lag", "counts": {"5": 1e999}}',
        '{"step": 0, "series": "lag", "counts": {"-1": 1}}',
        '{"step": 0, "series": "lag", "counts": {"2000": 1}}',
        f'{{"step": 0, "series": "lag", "counts": {{"{"9" * 5000}": 1}}}}',
        '{"step": "x", "series": "lag", "counts": {"5": 1}}',
        '{"step": -1, "series": "lag", "counts": {"5": 1}}',
        '{"series": "lag", "counts": {"5": 1}}',
    ],
)
def test_a_wrong_histogram_is_missing_and_the_others_are_kept(run, line):
    writer = RunWriter(run, MANIFEST)
    with (run / "histograms.jsonl").open("a") as file:
        file.write(line + "\n")
    writer.append_histogram(0, "lag", Histogram({5: 2}))
    record = load(run)

    assert {5: 2} == record.histograms[0, "lag"].counts
    assert "histograms.jsonl:1 (unreadable line)" in record.missing


def test_the_highest_bucket_that_there_is_can_be_read(run):
    highest = Histogram()
    highest.add(10**15)
    RunWriter(run, MANIFEST).append_histogram(0, "lag", highest)

    assert highest.counts == load(run).histograms[0, "lag"].counts


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "9" * 5000])
def test_an_event_at_no_moment_is_missing(run, number):
    RunWriter(run, MANIFEST)
    (run / "events.jsonl").write_text(f'{{"at": {number}, "kind": "finished", "detail": {{}}}}\n')

    assert "events.jsonl:1 (unreadable line)" in load(run).missing


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["directory", "fifo"])
def test_what_is_no_file_is_missing_and_not_waited_for(run, make):
    RunWriter(run, MANIFEST)
    make(run / "samples.jsonl")

    assert any(text.startswith("samples.jsonl (cannot be read: ") for text in load(run).missing)


def test_no_run_is_begun_that_could_not_be_read_again(run):
    offset = ClockOffset(offset_s=float("nan"), error_s=0.0)
    with pytest.raises(ConfigError, match=r"could not be read again, .*clock_offset\.offset_s"):
        RunWriter(run, replace(MANIFEST, clock_offset=offset))

    assert not run.exists()
