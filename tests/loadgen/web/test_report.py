"""Which files of a run are served; how one is made is in test_pages."""

import subprocess

import pytest

from capacity.loadgen.web.report import FILES, Report


@pytest.fixture
def report(tmp_path):
    """A report of a run whose files are there already."""
    run = tmp_path / "run"
    run.mkdir()
    for name in (*FILES, "locust.log", "run.json"):
        (run / name).write_text("x")
    report = Report()
    report._run = run
    return report, run


def test_the_files_of_a_report_are_served(report):
    served, run = report

    assert [run / name for name in FILES] == [served.file(name, run) for name in FILES]


@pytest.mark.parametrize(
    "name", ["locust.log", "run.json", "../run/report.html", "/etc/passwd", "", ".", "report.html/"]
)
def test_nothing_else_of_the_run_is(report, name):
    served, run = report

    assert served.file(name, run) is None


def test_only_the_newest_run_of_the_session_is_served(report, tmp_path):
    served, run = report

    assert served.file("report.html", tmp_path) is None
    assert served.file("report.html", None) is None
    assert Report().file("report.html", run) is None


def test_a_link_out_of_the_run_is_not_followed(report, tmp_path):
    served, run = report
    (tmp_path / "secret").write_text("s")
    (run / "report.md").unlink()
    (run / "report.md").symlink_to(tmp_path / "secret")

    assert served.file("report.md", run) is None


def test_a_run_that_is_none_has_no_report_and_says_why(tmp_path, seconds):
    report = Report()
    report.follow(tmp_path / "nosuch", "", "")
    was_being_made = report.is_being_made
    report._making.join(timeout=seconds(60))

    assert was_being_made
    assert "not a run" in report.problem
    assert report.problem[0].isalnum()
    assert report.file("report.html", tmp_path / "nosuch") is None


def test_a_report_is_made_once(tmp_path, seconds):
    report = Report()
    report.follow(tmp_path / "nosuch", "", "")
    making = report._making
    report.follow(tmp_path / "nosuch", "", "")

    assert making is report._making
    making.join(timeout=seconds(60))


def test_a_report_that_takes_longer_than_five_minutes_is_given_up_and_says_so(
    tmp_path, monkeypatch, seconds
):
    def never_ready(command, *, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", never_ready)
    report = Report()
    report.follow(tmp_path, "", "")
    report._making.join(timeout=seconds(60))

    assert report.problem == "not made within 5 min"
