"""How scheduled runs end: cut off, stopped, failed, and with a history that cannot be reached."""

import contextlib
import json
import runpy
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from capacity.cli.scheduling import scheduled
from capacity.domain.errors import ConfigError, NotDeliveredError
from capacity.recording import history_database
from capacity.recording.history import append, rows
from capacity.recording.history_row import Outcome
from capacity.recording.run_directory import RunWriter

SCHEDULED_RUNS = runpy.run_path(str(Path(__file__).with_name("scheduled_runs.py")))
row_of = SCHEDULED_RUNS["row_of"]
HISTORY = SCHEDULED_RUNS["HISTORY"]
port = SCHEDULED_RUNS["port"]
project = SCHEDULED_RUNS["project"]
invoke = SCHEDULED_RUNS["invoke"]
record_no_step = SCHEDULED_RUNS["record_no_step"]
planned = SCHEDULED_RUNS["planned"]
ENDLESS = """
import sys, time
from capacity.cli import main
from capacity.cli.scheduling import scheduled, time_limit

def measure(*_arguments, **_settings):
    print("measuring", flush=True)
    time.sleep(30)

scheduled.measure = measure
time_limit.GRACE_S = float(sys.argv.pop())
main.main()
"""


@pytest.fixture
def endless(project):
    """Start `capacity scheduled nightly` with a measurement that has no end of its own."""
    with contextlib.ExitStack() as stack:

        def start(*, grace_s):
            process = subprocess.Popen(
                [sys.executable, "-c", ENDLESS, "scheduled", "nightly", str(grace_s)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout.readline() == "measuring\n"
            return process

        yield start


def test_a_run_beyond_its_time_is_cut_off_and_recorded(endless):
    process = endless(grace_s=-897)
    _, told = process.communicate(timeout=120)
    (row,) = rows(HISTORY)

    assert process.returncode == 12
    assert told == "capacity: stopped after 900 s, the job's max_duration_s\n"
    assert (row.outcome, f"capacity: {row.reason}\n") == (Outcome.FAILED, told)


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)],
)
def test_a_run_that_is_asked_to_stop_is_recorded_first(endless, number, exit_code):
    process = endless(grace_s=60)
    process.send_signal(number)
    _, told = process.communicate(timeout=120)
    (row,) = rows(HISTORY)

    assert process.returncode == exit_code
    assert told == f"capacity: stopped by {number.name}\n"
    assert (row.outcome, row.reason) == (Outcome.FAILED, f"stopped by {number.name}")


def test_a_measurement_that_unwinds_by_itself_is_recorded_too(project, monkeypatch):
    monkeypatch.setattr(scheduled, "measure", lambda *_, **__: sys.exit(143))
    result = invoke()
    (row,) = rows(HISTORY)

    assert result.exception.exit_code == 143
    assert (row.outcome, row.reason) == (Outcome.FAILED, "stopped by SIGTERM")


def test_expired_runs_are_removed_once_recorded(project, planned, bare_manifest):
    expired = row_of(
        run="nightly-20250101T023000Z",
        target="here",
        profile="quick",
        started_at=1_735_698_600.0,
        finished_at=1_735_698_700.0,
    )
    append(HISTORY, expired)
    for name in (expired.run, "by-hand"):
        RunWriter(Path("reports/runs") / name, bare_manifest)
    document = json.loads(invoke("--json").stdout)

    assert document["removed_runs"] == [expired.run]
    assert sorted(path.name for path in Path("reports/runs").iterdir()) == sorted(
        ["by-hand", document["run"]]
    )
    assert expired in rows(HISTORY)


def test_a_failure_after_the_plan_keeps_the_plan_and_gives_the_exit_code(
    project, planned, monkeypatch
):
    def write_report(run, formats):
        raise ConfigError("report.html: cannot be written")

    monkeypatch.setattr(scheduled, "write_report", write_report)
    result = invoke()
    (row,) = rows(HISTORY)

    assert result.exception.exit_code == 2
    assert (row.outcome, row.reason) == (Outcome.PLAN, "report.html: cannot be written")
    assert row.capacity_mid_connections == 590.0


def test_even_a_defect_leaves_its_row(project, planned, monkeypatch):
    monkeypatch.setattr(scheduled, "write_report", lambda _run, _formats: 1 / 0)
    result = invoke()
    (row,) = rows(HISTORY)

    assert isinstance(result.exception, ZeroDivisionError)
    assert row.outcome == Outcome.PLAN
    assert row.reason == "defect in this program: ZeroDivisionError('division by zero')"


def test_a_history_that_cannot_be_written_stops_the_run_before_any_load(project, monkeypatch):
    (project / "reports").mkdir()
    (project / HISTORY).write_text("no database\n" * 100)
    monkeypatch.setattr(scheduled, "measure", pytest.fail)
    result = invoke()

    assert isinstance(result.exception, ConfigError)
    assert "reports/history.sqlite: the history cannot be used" in str(result.exception)


@pytest.fixture
def unreachable(project, port, monkeypatch):
    """A history in a database that nobody answers for, and little patience with it."""
    url = f"postgresql://capacity@127.0.0.1:{port}/capacity"
    job = yaml.safe_load((project / "config/schedule/nightly.yaml").read_text())
    (project / "config/schedule/nightly.yaml").write_text(yaml.safe_dump(job | {"history": url}))
    monkeypatch.setattr(scheduled, "HISTORY_RETRY_S", 0.0)
    return url


def test_a_history_that_cannot_be_reached_costs_neither_report_nor_row(
    unreachable, planned, project
):
    result = invoke()
    report = Path(result.stdout.splitlines()[-1])
    (kept,) = (project / "reports/pending").iterdir()

    assert isinstance(result.exception, NotDeliveredError)
    assert result.exception.exit_code == 6
    assert "590" in result.stdout
    assert report.name == "report.html"
    assert "the run was not compared with those before it" in str(result.exception)
    assert f"given up after one try; the next run delivers reports/pending/{kept.name}" in (
        result.stderr
    )
    assert json.loads(kept.read_text())["row"]["capacity_mid_connections"] == 590.0


def test_the_next_run_delivers_the_row_that_waits(project, planned, monkeypatch):
    monkeypatch.setattr(scheduled, "HISTORY_RETRY_S", 0.0)
    monkeypatch.setattr(history_database, "STATEMENT_TIMEOUT_S", 0.05)
    invoke()
    writer = sqlite3.connect(HISTORY, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(scheduled.time, "time", lambda: 1.9e9)
    assert invoke().exception.exit_code == 6
    writer.close()
    monkeypatch.setattr(scheduled.time, "time", lambda: 1.9e9 + 60.0)
    assert invoke().exit_code == 0

    assert len(rows(HISTORY)) == 3
    assert list((project / "reports/pending").iterdir()) == []


@pytest.mark.parametrize("text", ["noon", "nan", "inf", "2026-11-22T02:30"])
def test_a_planned_start_that_is_no_time_is_refused(monkeypatch, text):
    monkeypatch.setenv("CAPACITY_PLANNED_AT", text)
    with pytest.raises(ConfigError) as error:
        scheduled.planned_start()

    assert str(error.value) == (
        f"CAPACITY_PLANNED_AT: {text!r} is not a time; give epoch seconds, as `date +%s` prints"
    )
