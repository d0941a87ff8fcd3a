import json
import runpy
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.scheduling.history import command
from capacity.domain.errors import ConfigError
from capacity.recording.history import append

ROWS = runpy.run_path(str(Path(__file__).parents[2] / "history_row.py"))
row_of = ROWS["row_of"]

PLANNED = ROWS["planned_row"]("nightly-20261122T023012Z", due_at=1_795_314_600.0)
FAILED = ROWS["failed_row"](
    "nightly-20261123T023000Z", target="[red]other[/red]", started_at=1_795_401_000.0
)


@pytest.fixture(autouse=True)
def of_no_width(monkeypatch):
    """A pipe has none; what runs the tests may have one."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def url(tmp_path):
    url = str(tmp_path / "history.sqlite")
    append(url, PLANNED)
    append(url, FAILED)
    return url


def listed(*arguments):
    return CliRunner().invoke(command, ["list", *arguments], catch_exceptions=False).stdout


def test_a_row_says_what_came_of_the_run(url):
    lines = listed("--history", url).splitlines()
    (planned,) = [line for line in lines if "demo" in line]
    cells = [cell.strip() for cell in planned.strip("│").split("│")]

    assert cells == [
        "2026-11-22 02:30",
        "12 s",
        "nightly-20261122T023012Z",
        "demo",
        "safe",
        "plan",
        "1,021 (980–1,060)",
        "",
        "985",
        "file descriptors",
    ]


def test_a_failed_run_has_its_reason_and_no_numbers(url):
    (failed,) = [line for line in listed("--history", url).splitlines() if "failed" in line]
    cells = [cell.strip() for cell in failed.strip("│").split("│")]

    assert cells[6:] == ["", "", "", "127.0.0.1:8080 does not answer"]
    assert cells[1] == ""


def test_brackets_in_a_name_are_shown_as_they_are(url):
    assert "[red]other[/red]" in listed("--history", url)


def test_the_latest_run_comes_first(url):
    text = listed("--history", url)

    assert text.index(FAILED.run) < text.index(PLANNED.run)


def test_one_target_alone_can_be_listed(url):
    text = listed("--history", url, "--target", "demo")

    assert PLANNED.run in text
    assert FAILED.run not in text


def test_json_is_one_document_with_every_column(url):
    document = json.loads(listed("--history", url, "--json", "--limit", "1"))

    assert document == {"runs": [asdict(FAILED)]}


def test_without_a_history_there_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="there is no history; `capacity scheduled JOB` starts"):
        listed("--history", str(tmp_path / "none.sqlite"))


LATER = replace(
    PLANNED,
    run="nightly-20261124T023000Z",
    started_at=PLANNED.started_at + 2 * 86_400,
    finished_at=PLANNED.finished_at + 2 * 86_400,
    capacity_low_connections=630.0,
    capacity_mid_connections=643.0,
    capacity_high_connections=650.0,
    safe_capacity_connections=632,
    unit_costs={
        "descriptors": {"limit": 700.0, "per_connection_along_mix": 1.0, "ceiling": 643.0},
        "memory": {"limit": 1048576.0, "per_connection_along_mix": 2048.0, "ceiling": None},
    },
)


def run(*arguments):
    return CliRunner().invoke(command, arguments, catch_exceptions=False).stdout


@pytest.fixture
def lost(url):
    append(url, LATER)
    return url


def test_a_loss_is_marked_in_the_list(lost):
    (line,) = [line for line in listed("--history", lost).splitlines() if LATER.run in line]

    assert "-37.0 %!" in line


def test_runs_can_be_chosen_by_job_and_by_age(url, monkeypatch):
    from capacity.cli.scheduling import history

    monkeypatch.setattr(history.time, "time", lambda: FAILED.started_at + 60.0)

    assert PLANNED.run not in listed("--history", url, "--days", "0.5")
    assert FAILED.run in listed("--history", url, "--days", "0.5")
    assert PLANNED.run not in listed("--history", url, "--job", "weekly")


def test_one_run_is_shown_whole(lost):
    text = run("show", LATER.run, "--history", lost)

    assert "643 connections (630 to 650 (90 %))" in text
    assert "file descriptors" in text
    assert "700 descriptors" in text
    assert "2 KiB" in text


def test_one_run_as_json_is_its_row(lost):
    assert json.loads(run("show", LATER.run, "--history", lost, "--json")) == asdict(LATER)


def test_a_run_that_is_not_there_is_said(url):
    with pytest.raises(ConfigError, match="not in the history"):
        run("show", "nobody", "--history", url)


def test_a_trend_shows_each_run_beside_those_before(lost):
    text = run("trend", "--history", lost, "--target", "demo")

    assert "-37.0 %" in text
    assert "fell (weak)" in text
    assert "No slope: fewer than five comparable runs." in text


def test_a_trend_of_a_cost_is_in_its_unit(lost):
    text = run("trend", "--history", lost, "--target", "demo", "--figure", COST)

    assert "2 KiB" in text


def test_a_trend_as_json_has_every_point(lost):
    document = json.loads(run("trend", "--history", lost, "--target", "demo", "--json"))

    assert [point["value"] for point in document["points"]] == [1021.0, 643.0]


def test_several_series_must_be_told_apart(lost):
    with pytest.raises(ConfigError, match="choose with --job and --target"):
        run("trend", "--history", lost)


def test_a_forecast_says_until_when_the_instances_suffice(url, root, monkeypatch):
    from capacity.cli.scheduling import history

    monkeypatch.setattr(history.time, "time", lambda: PLANNED.started_at)
    demand = str(root / "config/demand/example.yaml")
    arguments = ("forecast", "--history", url, "--target", "demo", "--demand", demand)
    soon = json.loads(run(*arguments, "--json"))
    text = run(*arguments, "--instances", "60")

    assert soon["middle_at"] == PLANNED.started_at
    assert f"60 instances like the one that {PLANNED.run} measured, less headroom" in text
    assert "days)" in text


COST = "cost.memory_per_connection"


def test_a_baseline_is_chosen_listed_and_forgotten(lost):
    assert "No baseline is chosen" in run("baseline", "--history", lost)
    assert f"{LATER.run}: job nightly, target demo" in run("baseline", LATER.run, "--history", lost)
    assert json.loads(run("baseline", "--history", lost, "--json")) == {
        "baselines": [{"job": "nightly", "target": "demo", "run": LATER.run}]
    }
    told = run("baseline", "--forget", "--job", "nightly", "--target", "demo", "--history", lost)
    assert "No baseline is chosen" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody"], "nobody: not in the history"),
        ([FAILED.run], "has no plan to compare with"),
        (["--forget", "--job", "nightly"], "--forget: give --job and --target"),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(url, arguments, said):
    with pytest.raises(ConfigError, match=said):
        run("baseline", *arguments, "--history", url)

    assert "No baseline is chosen" in run("baseline", "--history", url)
