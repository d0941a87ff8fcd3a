"""`capacity attach` from files to a planned run."""

import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.main import cli
from capacity.recording.run_directory import load
from capacity.sources.border import SAMPLE

SOURCES = Path(__file__).parents[1] / "sources"
CURVES = runpy.run_path(str(SOURCES / "test_alignment.py"))
RUN = runpy.run_path(str(SOURCES / "test_attaching.py"))
SPOOL = runpy.run_path(str(SOURCES / "test_spool.py"))


@pytest.fixture
def run(tmp_path):
    writer = RUN["RunWriter"](tmp_path / "run", RUN["MANIFEST"])
    for point in CURVES["points"](RUN["BEGIN_AT"]):
        writer.append_point(point)
    return tmp_path / "run"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "spool.ndjson"
    lines = [SAMPLE.dump_json(sample) for sample in CURVES["samples"](7.0)]
    path.write_bytes(SPOOL["info"]() + b"\n".join(lines) + b'\n{"torn')
    return path


def test_the_new_run_is_printed_and_the_clock_said(run, file):
    result = CliRunner().invoke(cli, ["attach", str(run), str(file)])

    assert (0, f"{run}-attached\n") == (result.exit_code, result.stdout)
    assert "1 incomplete line skipped" in result.stderr
    assert "s ± 1" in result.stderr
    assert "ahead of the recorder's (estimated)" in result.stderr
    assert load(Path(f"{run}-attached")).samples


def test_a_declared_offset_is_said_back(run, file):
    options = ["attach", str(run), str(file), "--clock-offset", "-2.5"]
    result = CliRunner().invoke(cli, options)

    assert "the target's clock was 2.5 s behind the recorder's (declared)" in result.stderr


def test_clocks_that_cannot_be_compared_are_a_remark(run, file):
    (run / "load.jsonl").unlink()
    result = CliRunner().invoke(cli, ["attach", str(run), str(file)])

    assert 0 == result.exit_code
    assert "clock offset is unknown and assumed to be 0" in result.stderr


def test_a_file_that_is_no_spool_is_one_sentence(run):
    result = CliRunner().invoke(cli, ["attach", str(run), str(run / "run.json")])

    assert 2 == result.exit_code
    assert result.stderr.startswith("capacity: ")
    assert 1 == len(result.stderr.splitlines())
