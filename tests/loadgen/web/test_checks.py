"""Previews of runs against a real exchange with a real agent."""

import pytest

from capacity.domain.answers.finding import Status
from capacity.loadgen.web.checks import STEP_COLUMNS, preview_of


@pytest.fixture(autouse=True)
def _here(settings_here, monkeypatch):
    monkeypatch.chdir(settings_here)


def test_a_preview_has_the_steps_the_highest_load_and_what_was_found():
    preview = preview_of("here", "short", 1)

    assert "at most 15 connections and 3 requests/s" == preview.highest
    assert "These steps, one after the other." == preview.outlook
    assert ["1 (baseline)", "2", "3"] == [step[0] for step in preview.steps]
    assert ["0", "5", "15"] == [step[1] for step in preview.steps]
    assert {len(STEP_COLUMNS)} == {len(step) for step in preview.steps}
    assert {"agent", "handshake and subscription", "load"} <= {
        each.name for each in preview.findings
    }
    assert 0 == preview.failures


def test_what_a_climb_may_reach_is_said_with_what_bounds_it():
    preview = preview_of("here", "safe", 1)

    assert (
        "each at most 3 times the one before and decided from it; never more than"
        in preview.outlook
    )
    assert "connections" in preview.highest
    [load] = [each.statement for each in preview.findings if each.name == "load"]
    assert load.partition("in up to ")[2].startswith(
        preview.outlook.split(",")[0].removeprefix("Up to ")
    )


def test_a_search_is_said_to_break_its_target():
    assert "may break it" in preview_of("here", "shatter", 1).outlook


def test_what_stands_in_the_way_comes_first():
    preview = preview_of("closed", "short", 1)

    assert Status.FAILURE is preview.findings[0].status
    assert preview.failures == sum(each.status is Status.FAILURE for each in preview.findings) > 0


def test_settings_that_are_not_valid_are_a_failure_without_their_content():
    preview = preview_of("invalid", "short", 1)

    assert 1 == preview.failures
    assert () == preview.steps
    assert "hunter2" not in preview.findings[0].statement
    assert "config/targets/invalid.yaml:2" in preview.findings[0].statement
