"""Measuring takes minutes and is proved end to end; here other functions stand in for it."""

import json
import runpy
from pathlib import Path

import pytest
import yaml

from capacity.cli import report
from capacity.cli.scheduling import scheduled
from capacity.domain.errors import LockedError, RegressionError, UnreachableError
from capacity.recording.history import append, choose_baseline, rows
from capacity.recording.history_row import Outcome, fingerprint_of
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks
from capacity.recording.notices import Notice, NoticeKind
from capacity.recording.run_directory import RunWriter
from capacity.reporting.formats import json_document

SCHEDULED_RUNS = runpy.run_path(str(Path(__file__).with_name("scheduled_runs.py")))
row_of = SCHEDULED_RUNS["row_of"]
HISTORY = SCHEDULED_RUNS["HISTORY"]
port = SCHEDULED_RUNS["port"]
project = SCHEDULED_RUNS["project"]
invoke = SCHEDULED_RUNS["invoke"]
record_no_step = SCHEDULED_RUNS["record_no_step"]
planned = SCHEDULED_RUNS["planned"]


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
