"""A run recorded without an agent, and samples brought to it."""

import json
import platform
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.domain.run import RunEvent
from capacity.domain.target import TargetSpec
from capacity.recording.run_directory import RunWriter, load
from capacity.sources.attaching import attach
from capacity.sources.spool import Spool

RECORDS = runpy.run_path(str(Path(__file__).parents[1] / "bare_records.py"))
CURVES = runpy.run_path(str(Path(__file__).with_name("test_alignment.py")))
HERE = runpy.run_path(str(Path(__file__).with_name("test_spool.py")))["HERE"]
BEGIN_AT = 5000.0
MANIFEST = RECORDS["manifest_of"](
    run="run",
    started_at=BEGIN_AT,
    target=TargetSpec.from_document({"name": "here", "limits": {}}),
    generator={"host": "generator"},
)


@pytest.fixture
def run(tmp_path):
    def written(**changes):
        writer = RunWriter(tmp_path / "run", replace(MANIFEST, **changes))
        for point in CURVES["points"](BEGIN_AT):
            writer.append_point(point)
        writer.append_event(RunEvent(at=BEGIN_AT + 100, kind="finished", detail={}))
        return tmp_path / "run"

    return written


def spool(offset_s=0.0, **changes):
    samples = tuple(CURVES["samples"](offset_s))
    return Spool(info=replace(HERE, **changes), samples=samples, torn=0)


def test_the_join_is_a_run_of_its_own_with_everything_of_both(run):
    path = run()
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    attached = attach(path, spool(7.0), None)
    record = load(attached.path)

    assert before == {file.name: file.read_bytes() for file in path.iterdir()}
    assert "run-attached" == record.manifest.run
    assert "exchange" == record.manifest.agent.target_name
    assert attached.samples == len(record.samples) > 100
    assert load(path).points == record.points
    assert ["finished", "samples_attached"] == [event.kind for event in record.events]
    assert record.missing == ()


def test_clocks_are_compared_by_what_both_sides_saw(run):
    attached = attach(run(), spool(7.0), None)

    assert "estimated" == attached.clock
    assert 7.0 == pytest.approx(attached.clock_offset.offset_s, abs=attached.clock_offset.error_s)


def test_a_declared_offset_is_believed(run):
    attached = attach(run(), spool(7.0), 7.25)

    assert ("declared", 7.25) == (attached.clock, attached.clock_offset.offset_s)


def test_one_kernel_is_one_clock_and_one_host(run):
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    attached = attach(run(generator={"host": platform.node()}), spool(boot_id=boot_id), None)

    assert "same host" == attached.clock
    assert load(attached.path).manifest.same_host


def test_clocks_that_cannot_be_compared_leave_the_offset_unknown(run):
    path = run()
    (path / "load.jsonl").unlink()
    attached = attach(path, spool(), None)

    assert ("unknown", None) == (attached.clock, attached.clock_offset)
    assert load(attached.path).manifest.clock_offset is None


def test_an_agent_on_a_host_of_the_generator_shares_it(run):
    attached = attach(run(generator={"host": "x", "hosts": {"venue": {}}}), spool(), 0.0)

    assert load(attached.path).manifest.same_host


def test_samples_of_another_day_are_refused_with_the_distance(run):
    with pytest.raises(
        ConfigError, match=r"the first is 86370 s after its start; .*--clock-offset"
    ):
        attach(run(), spool(86_400.0), 0.0)


def test_only_samples_of_the_time_of_the_run_are_taken(run):
    attached = attach(run(), spool(-100.0), 0.0)
    record = load(attached.path)

    assert 0 < len(record.samples) < 100
    assert min(sample.at for sample in record.samples) >= BEGIN_AT - 30


def test_a_run_with_samples_of_its_own_takes_no_others(run):
    with pytest.raises(ConfigError, match="has samples of its own"):
        attach(run(agent=HERE), spool(), 0.0)


def test_what_is_there_is_not_replaced(run):
    path = run()
    attach(path, spool(), 0.0)
    with pytest.raises(ConfigError, match="run-attached: is there already"):
        attach(path, spool(), 0.0)

    assert ["run", "run-attached"] == sorted(file.name for file in path.parent.iterdir())


def test_a_directory_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="not a run"):
        attach(tmp_path, spool(), None)


def test_the_manifest_says_what_was_attached(run):
    attached = attach(run(), spool(7.0), 7.0)
    last = json.loads((attached.path / "events.jsonl").read_text().splitlines()[-1])

    assert last["detail"] == {"samples": attached.samples, "clock": "declared", "of": "run"}
