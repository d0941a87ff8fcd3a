import runpy
from dataclasses import replace
from pathlib import Path

from capacity.domain.estimates import Estimate
from capacity.models.drift import Drift
from capacity.recording.history_row import Outcome
from capacity.recording.outlook import Outlook
from capacity.recording.trends import Point, Trend
from capacity.reporting.history import (
    bottleneck,
    costs_section,
    facts_text,
    outlook_facts,
    run_facts,
    trend_section,
)

ROWS = runpy.run_path(str(Path(__file__).parents[1] / "history_row.py"))
row_of = ROWS["row_of"]

ROW = ROWS["planned_row"](
    due_at=1_767_225_600.0,
    finished_at=1_767_225_700.0,
    unit_costs={
        "descriptors": {"limit": 1024.0, "per_connection_along_mix": 1.0, "ceiling": 1021.0}
    },
)
NOW_AT = 1_767_225_600.0
OUTLOOK = Outlook(
    run="nightly-1",
    now_at=NOW_AT,
    demand="peak",
    instances=10,
    demand_now=Estimate.exactly(5000.0),
    usable=Estimate.exactly(8000.0),
    growth_per_month=Estimate.exactly(0.1),
    capacity_per_month=None,
    early_at=NOW_AT,
    middle_at=NOW_AT + 86_400.0,
    late_at=None,
)


def fell(ratio, *, runs):
    return Drift(median=1000.0, ratio=ratio, tolerance_ratio=0.05, runs=runs)


def test_a_run_is_told_with_its_interval_and_its_bottleneck():
    told = dict(facts_text(run_facts(ROW)))

    assert told["Capacity"] == "1,020 connections (980 to 1,060 (90 %))"
    assert told["Bottleneck"] == bottleneck(ROW) == "file descriptors"
    assert told["Started"] == "2026-01-01 00:00:12 UTC (12 s after it was due)"


def test_a_failed_run_has_its_reason_and_no_capacity():
    failed = replace(
        ROW,
        outcome=Outcome.FAILED,
        reason="away",
        capacity_mid_connections=None,
        safe_capacity_connections=None,
        binding=None,
        planned_at=None,
    )
    told = dict(facts_text(run_facts(failed)))

    assert told["Outcome"] == "failed (away)"
    assert {"Capacity", "Safe capacity", "Bottleneck"}.isdisjoint(told)


def test_costs_that_an_earlier_version_did_not_keep_say_so():
    (row,) = costs_section(ROW).table.rows
    (old,) = costs_section(replace(ROW, unit_costs={"memory": {"unit": "bytes"}})).table.rows

    assert [cell.text for cell in row][1:] == ["1,024 descriptors", "1 descriptor", "1,020"]
    assert [cell.text for cell in old][1:] == ["not kept"] * 3


def test_a_trend_marks_what_moved_and_cuts_the_oldest():
    points = (
        Point(run="a", at=NOW_AT, value=1000.0, drift=None),
        Point(run="b", at=NOW_AT, value=900.0, drift=fell(0.9, runs=7)),
        Point(run="c", at=NOW_AT, value=1100.0, drift=fell(1.1, runs=2)),
    )
    found = Trend(
        figure="capacity.mid",
        unit="connections",
        points=points,
        per_month_ratio=Estimate(low=-0.1, mid=-0.05, high=0.01, confidence=0.9),
        left_out=3,
    )
    section = trend_section(found, 2)

    assert [row[1].text for row in section.table.rows] == ["b", "c"]
    assert [row[4].text for row in section.table.rows] == ["fell", "rose (weak)"]
    assert section.paragraphs == (
        "Slope -5.0 % a month (-10.0 % to +1.0 %, 90 %); not significant.",
        "3 runs left out: not comparable with the latest",
    )


def test_an_outlook_names_its_dates():
    told = dict(facts_text(outlook_facts(OUTLOOK)))

    assert told["Suffices until"] == (
        "2026-01-02 (in 1 days) (with 10 % probability before now, with 90 % before beyond 50 years)"
    )
    assert told["Capacity"] == "no significant trend"
    falling = replace(OUTLOOK, capacity_per_month=Estimate.exactly(-0.05))
    assert dict(facts_text(outlook_facts(falling)))["Capacity"] == "-5.0 % a month"
