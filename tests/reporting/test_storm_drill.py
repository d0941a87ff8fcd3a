"""What a report and a terminal say of a storm drill."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.answers.storm_drill import DialAttempt
from capacity.domain.observation import Quantiles
from capacity.domain.run import RunEvent
from capacity.notebook import plan
from capacity.planning.advice.storm_drill import drill_outcomes
from capacity.recording.run_directory import load
from capacity.reporting.storm_drill import in_one_line, storm_drill_sections

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[1] / "planning" / "advice" / "example_drill.py")
)
recorded_with = EXAMPLE["recorded_with"]


@pytest.fixture(scope="module")
def answer():
    return plan(load(EXAMPLE["RUN"]))


def delays(p95_s):
    return Quantiles(count=9, p50_s=0.001, p95_s=p95_s, p99_s=p95_s, max_s=p95_s)


def test_a_run_without_drills_has_no_section(answer):
    assert () == storm_drill_sections(load(EXAMPLE["RUN"]), answer)


def test_times_stand_beside_what_was_foretold_and_who_else_suffered(answer):
    record = recorded_with({"delay_before": delays(0.004), "delay_during": delays(0.5)})
    (section,) = storm_drill_sections(record, answer)
    (row,) = section.table.rows

    assert ("immediate", "100", "of 200 connections") == (row[0].text, row[1].text, row[1].note)
    assert "799 ms" == row[3].text
    assert row[3].note.startswith("foretold ")
    assert "bursts of 17" in row[5].note
    assert ("500 ms", "4 ms before the cut") == (row[7].text, row[7].note)
    assert "bursts of 17" in " ".join(section.paragraphs)


def test_what_went_wrong_is_said_in_words(answer):
    failed = (DialAttempt(began_s=0.0, ended_s=0.1, outcome="connect_timeout"),) * 2
    record = recorded_with(
        {
            "attempts": failed,
            "restored_s": (),
            "aborted": "memory was nearly used up",
            "signs": ("its listening sockets dropped connects 3 times",),
            "lag_p95_s": 1.0,
        }
    )
    (section,) = storm_drill_sections(record, answer)
    text = " ".join(section.paragraphs)

    assert "was aborted: memory was nearly used up." in text
    assert "100 clients had not come back." in text
    assert "connect_timeout 2" in text
    assert "dropped connects 3 times" in text
    assert "upper bounds" in text
    assert "never" == section.table.rows[0][2].text


def test_a_drill_that_was_left_out_says_why(answer):
    record = load(EXAMPLE["RUN"])
    event = RunEvent(at=1.0, kind="storm_skipped", detail={"reason": "the step before it is void"})
    (section,) = storm_drill_sections(replace(record, events=(*record.events, event)), answer)

    assert ("No storm drill: the step before it is void.",) == section.paragraphs
    assert section.table is None


def test_a_terminal_gets_one_line(answer):
    record = recorded_with({})
    (outcome,) = drill_outcomes(record, answer)
    line = in_one_line(outcome)

    assert "100 of 200 connections cut" in line
    assert "95 % after" in line
    assert "foretold" in line
    assert in_one_line(replace(outcome, aborted="a guard")).endswith("aborted: a guard")
