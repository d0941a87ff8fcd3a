import json
from dataclasses import asdict

import pytest
from click.testing import CliRunner

from capacity.cli.history import command
from capacity.domain.errors import ConfigError
from capacity.recording.history import append
from capacity.recording.history_row import HistoryRow, Outcome

PLANNED = HistoryRow(
    run="nightly-20261122T023012Z",
    job="nightly",
    target="demo",
    profile="safe",
    planned_at=1_795_314_600.0,
    started_at=1_795_314_612.0,
    finished_at=1_795_314_712.0,
    outcome=Outcome.PLAN,
    capacity_low_connections=980.0,
    capacity_mid_connections=1021.0,
    capacity_high_connections=1060.0,
    safe_capacity_connections=985,
    binding="descriptors",
)
FAILED = HistoryRow(
    run="nightly-20261123T023000Z",
    job="nightly",
    target="[red]other[/red]",
    profile="safe",
    planned_at=None,
    started_at=1_795_401_000.0,
    finished_at=1_795_401_001.0,
    outcome=Outcome.FAILED,
    reason="127.0.0.1:8080 does not answer",
)


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
        "985",
        "file descriptors",
    ]


def test_a_failed_run_has_its_reason_and_no_numbers(url):
    (failed,) = [line for line in listed("--history", url).splitlines() if "failed" in line]
    cells = [cell.strip() for cell in failed.strip("│").split("│")]

    assert cells[6:] == ["", "", "127.0.0.1:8080 does not answer"]
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
