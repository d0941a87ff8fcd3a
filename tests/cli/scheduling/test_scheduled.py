"""Measuring takes minutes and is proved end to end; here other functions stand in for it."""

import contextlib
import json
import runpy
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from capacity.cli import report
from capacity.cli.scheduling import scheduled
from capacity.domain.errors import (
    ConfigError,
    LockedError,
    NotDeliveredError,
    RegressionError,
    UnreachableError,
)
from capacity.domain.run import RunEvent
from capacity.recording import history_database
from capacity.recording.history import append, choose_baseline, rows
from capacity.recording.history_row import Outcome, fingerprint_of
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks
from capacity.recording.notices import Notice, NoticeKind
from capacity.recording.run_directory import RunWriter
from capacity.reporting.formats import json_document

row_of = runpy.run_path(str(Path(__file__).parents[2] / "history_row.py"))["row_of"]
ROOT = Path(__file__).parents[3]
HISTORY = "reports/history.sqlite"


@pytest.fixture
def port():
    """A port where nothing listens, and nothing else will while the test runs."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture
def project(tmp_path, monkeypatch, port):
    """A working directory with the shipped configuration, and a target nobody answers for."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    target = yaml.safe_load((ROOT / "config/targets/demo.yaml").read_text())
    target |= {"name": "here", "port": port}
    target["agent"] = None
    (tmp_path / "config/targets/here.yaml").write_text(yaml.safe_dump(target))
    job = yaml.safe_load((ROOT / "config/schedule/nightly.yaml").read_text())
    job |= {"target": "here", "profile": "quick", "history": HISTORY, "every_h": None}
    (tmp_path / "config/schedule/nightly.yaml").write_text(yaml.safe_dump(job))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAPACITY_PLANNED_AT", raising=False)
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(scheduled.command, ["nightly", *arguments])


@pytest.fixture
def record_no_step(bare_manifest):
    def measure(_target, _profile, *, run, **_settings):
        writer = RunWriter(run, bare_manifest)
        writer.append_event(RunEvent(at=2.0, kind="finished", detail={}))
        return run

    return measure


@pytest.fixture
def planned(monkeypatch, record_no_step, bare_plan):
    monkeypatch.setattr(scheduled, "measure", record_no_step)
    monkeypatch.setattr(scheduled, "plan_run", lambda _run: bare_plan)
    monkeypatch.setattr(scheduled, "write_report", lambda run, _formats: [run / "report.html"])


def test_a_target_that_does_not_answer_is_a_failed_run_with_its_reason(project, port):
    result = invoke()
    (row,) = rows(HISTORY)

    assert isinstance(result.exception, UnreachableError)
    assert (row.outcome, row.target, row.job) == (Outcome.FAILED, "here", "nightly")
    assert row.reason == str(result.exception)
    assert row.capacity_mid_connections is None


@pytest.fixture
def lowered(monkeypatch):
    notice = Notice(
        kind=NoticeKind.LIMIT_LOWERED,
        statement="maxconn: was 9 connections, is 5 connections (/etc/a:1)",
        is_regression=True,
    )
    monkeypatch.setattr(scheduled, "changed_limits", lambda *_: [notice])
    return f"Regression: {notice.statement}"


def test_a_lowered_limit_is_told_where_nothing_could_be_measured(project, lowered):
    result = invoke()

    assert result.stdout.splitlines() == [lowered]
    assert isinstance(result.exception, UnreachableError)
    assert "maxconn: was 9 connections, is 5 connections" in result.stderr


def test_a_lowered_limit_is_a_regression_of_a_run_that_went_well(project, planned, lowered):
    result = invoke()

    assert result.stdout.splitlines()[0] == lowered
    assert isinstance(result.exception, RegressionError)


def test_a_busy_target_is_left_alone_and_unrecorded(project, port):
    with locked(place_of_locks(), f"127.0.0.1:{port}", run="another"):
        result = invoke()

    assert isinstance(result.exception, LockedError)
    assert rows(HISTORY) == []


def test_a_run_without_a_plan_is_recorded_with_its_excuse(
    project, monkeypatch, record_no_step, bare_manifest
):
    monkeypatch.setattr(scheduled, "measure", record_no_step)
    result = invoke("--json")
    document = json.loads(result.stdout)
    (row,) = rows(HISTORY)

    assert result.exception.exit_code == 5
    assert row.outcome == Outcome.EXCUSE
    assert row.reason
    assert row.fingerprint == fingerprint_of(bare_manifest)
    assert [Path(path).is_file() for path in document["reports"]] == [True] * 3


def test_a_plan_is_recorded_with_its_numbers(project, planned, monkeypatch):
    monkeypatch.setenv("CAPACITY_PLANNED_AT", "1795314600")
    result = invoke("--json")
    document = json.loads(result.stdout)
    (row,) = rows(HISTORY)

    assert result.exit_code == 0
    assert (row.outcome, row.reason, row.planned_at) == (Outcome.PLAN, None, 1_795_314_600.0)
    assert row.capacity_low_connections == 580.0
    assert row.capacity_mid_connections == 590.0
    assert row.capacity_high_connections == 600.0
    assert row.safe_capacity_connections == 582
    assert (row.binding, row.extrapolation_ratio) == ("descriptors", 5.0)
    assert document["outcome"] == "plan"
    assert document["reports"] == [f"reports/runs/{row.run}/report.html"]
    assert document["problems"] == []


def earlier(capacity, days, target="here", fingerprint=None):
    return row_of(
        run=f"earlier-{days}",
        target=target,
        profile="quick",
        started_at=1e9 + days * 86_400.0,
        finished_at=1e9 + days * 86_400.0,
        capacity_low_connections=capacity - 10.0,
        capacity_mid_connections=capacity,
        capacity_high_connections=capacity + 10.0,
        binding="descriptors",
        fingerprint=fingerprint,
    )


@pytest.fixture
def better_before(project, bare_manifest):
    for day in range(6):
        append(HISTORY, earlier(967.0, day, fingerprint=fingerprint_of(bare_manifest)))


def test_lost_capacity_is_in_the_first_line_the_record_and_the_exit_code(
    project, planned, better_before
):
    result = invoke()
    row = rows(HISTORY)[0]

    assert isinstance(result.exception, RegressionError)
    assert result.exception.exit_code == 11
    assert result.stdout.splitlines()[0] == (
        "Regression: capacity 590 connections, median of 6 earlier runs 967 (-39.0 %)"
    )
    assert (row.outcome, row.capacity_mid_connections) == (Outcome.PLAN, 590.0)
    assert "median of 6 earlier runs 967" in row.reason


def test_lost_capacity_is_in_the_report(
    project, monkeypatch, record_no_step, bare_plan, better_before
):
    monkeypatch.setattr(scheduled, "measure", record_no_step)
    monkeypatch.setattr(scheduled, "plan_run", lambda _run: bare_plan)
    monkeypatch.setattr(scheduled, "write_report", report_of(bare_plan))
    invoke()
    run = Path("reports/runs") / rows(HISTORY)[0].run

    for name, safe in (("report.md", "Safe capacity"), ("report.html", "safe to plan with")):
        text = (run / name).read_text()
        assert "Since earlier runs" in text
        assert text.index("Regression: capacity 590") < text.index(safe)


def report_of(plan):
    """Write the report with the plan that was planted, as the record of the run holds nothing."""

    def write(run, formats):
        (run / "plan.json").write_text(json_document.render(plan))
        return report.write_report(run, formats)

    return write


def test_json_holds_what_was_noticed(project, planned, better_before):
    document = json.loads(invoke("--json").stdout)

    assert [notice["kind"] for notice in document["notices"]] == ["capacity_lost"]


def test_quiet_prints_what_was_noticed_the_headline_and_the_reports(
    project, planned, better_before
):
    first, second, third = invoke("--quiet").stdout.splitlines()

    assert first.startswith("Regression: ")
    assert second.startswith("Capacity: ≈ 590 connections per instance")
    assert third.endswith("report.html")


def test_an_equal_run_says_nothing(project, planned, bare_manifest):
    for day in range(6):
        append(HISTORY, earlier(590.0, day, fingerprint=fingerprint_of(bare_manifest)))
    result = invoke()

    assert result.exit_code == 0
    assert result.stdout.startswith("Capacity: ≈ 590")
    assert rows(HISTORY)[0].reason is None


def test_runs_that_are_missing_before_it_are_said_first(
    project, planned, bare_manifest, monkeypatch
):
    job = yaml.safe_load((project / "config/schedule/nightly.yaml").read_text())
    (project / "config/schedule/nightly.yaml").write_text(yaml.safe_dump(job | {"every_h": 24}))
    append(HISTORY, earlier(590.0, 0, fingerprint=fingerprint_of(bare_manifest)))
    monkeypatch.setattr(scheduled.time, "time", lambda: 1e9 + 3 * 86_400.0)
    result = invoke()

    assert result.exit_code == 0
    assert result.stdout.startswith("Missed: 2 runs are missing before this one")


def test_rules_of_the_job_are_checked_after_the_run(project, planned):
    job = yaml.safe_load((project / "config/schedule/nightly.yaml").read_text())
    job["rules"] = "config/rules.yaml"
    (project / "config/schedule/nightly.yaml").write_text(yaml.safe_dump(job))
    result = invoke()
    row = rows(HISTORY)[0]

    assert result.exception.exit_code == 10
    assert (row.outcome, "rules of 6 failed" in row.reason) == (Outcome.PLAN, True)
    assert (project / "reports/runs" / row.run / "rules.xml").is_file()


def test_a_plan_is_printed_for_people(project, planned):
    result = invoke()

    assert result.exit_code == 0
    assert "590" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("report.html")


def test_what_the_job_says_is_what_is_measured(project, planned, monkeypatch, record_no_step):
    seen = []

    def measure(target, profile, *, run, **settings):
        seen.append(settings)
        return record_no_step(target, profile, run=run)

    monkeypatch.setattr(scheduled, "measure", measure)
    result = invoke()

    assert result.exit_code == 0
    assert seen == [{"workers": 1, "timeout_s": 900.0, "quiet": True}]


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
    _, told = process.communicate(timeout=20)
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
    _, told = process.communicate(timeout=20)
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


def test_a_baseline_is_compared_with_and_its_directory_stays(
    project, planned, better_before, bare_manifest
):
    baseline = rows(HISTORY)[-1]
    choose_baseline(HISTORY, baseline, 1e9)
    for row in rows(HISTORY):
        RunWriter(Path("reports/runs") / row.run, bare_manifest)
    document = json.loads(invoke("--json").stdout)

    assert f"baseline {baseline.run} 967 (-39.0 %)" in str(document["notices"])
    assert (Path("reports/runs") / baseline.run).is_dir()
    assert len(document["removed_runs"]) == 5


@pytest.mark.parametrize("text", ["noon", "nan", "inf", "2026-11-22T02:30"])
def test_a_planned_start_that_is_no_time_is_refused(monkeypatch, text):
    monkeypatch.setenv("CAPACITY_PLANNED_AT", text)
    with pytest.raises(ConfigError) as error:
        scheduled.planned_start()

    assert str(error.value) == (
        f"CAPACITY_PLANNED_AT: {text!r} is not a time; give epoch seconds, as `date +%s` prints"
    )
