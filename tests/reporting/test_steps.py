from dataclasses import replace

import pytest

from capacity.domain.observation import OrderFigures
from capacity.reporting.steps import (
    latency_section,
    opening_section,
    orders_section,
    polls_section,
    steps_section,
)
from capacity.reporting.words import NOT_MEASURED


def row(section, index):
    return [(cell.text, cell.note) for cell in section.table.rows[index]]


def test_quantiles_are_milliseconds(record):
    assert row(latency_section(record), 2) == [
        ("3", ""),
        ("1,246", ""),
        ("not measured", ""),
        ("1.1 / 3.4 / 8.9", "n = 9,000, max 21 ms"),
        ("4.2 / 3.4 / 8.9", "n = 9,000, max 21 ms"),
        ("7.3 / 3.4 / 8.9", "n = 9,000, max 21 ms"),
    ]


def test_what_was_not_measured_is_not_zero(record):
    assert [text for text, _ in row(latency_section(record), 0)][2:] == [NOT_MEASURED] * 4


def test_phases_that_were_measured_have_columns_in_their_order(record):
    without, opened = record.steps[0], record.steps[2]
    quantiles = opened.opening["tcp"]
    looked_up = replace(opened, opening={**opened.opening, "dns": quantiles})
    section = opening_section(replace(record, steps=(without, looked_up, opened)))

    assert (
        "Step",
        "Opened",
        "DNS, ms",
        "TCP, ms",
        "WebSocket upgrade, ms",
    ) == section.table.columns
    assert [
        ["3", "1,246", "0.2 / 3.4 / 8.9", "0.2 / 3.4 / 8.9", "1.1 / 3.4 / 8.9"],
        ["3", "1,246", NOT_MEASURED, "0.2 / 3.4 / 8.9", "1.1 / 3.4 / 8.9"],
    ] == [[text for text, _note in row(section, index)] for index in range(2)]


def test_polls_have_a_row_in_each_step_that_polled(record):
    without, polled = record.steps[0], record.steps[2]
    over_tls = replace(
        polled,
        body_age=None,
        request_opening={**polled.request_opening, "tls": polled.request_latency},
    )
    section = polls_section(replace(record, steps=(without, polled, over_tls)))

    assert section.table.columns == (
        "Step",
        "Answered",
        "Not modified",
        "Age of data, ms",
        "TCP, ms",
        "TLS, ms",
    )
    assert [
        ["3", "9,000", "7", "0.8 / 3.4 / 8.9", "1.1 / 3.4 / 8.9", NOT_MEASURED],
        ["3", "9,000", "7", NOT_MEASURED, "1.1 / 3.4 / 8.9", "4.2 / 3.4 / 8.9"],
    ] == [[text for text, _note in row(section, index)] for index in range(2)]


def test_polls_that_only_connected_are_shown_without_answers(record):
    failed = replace(record.steps[2], request_latency=None, body_age=None, not_modified=0)
    section = polls_section(replace(record, steps=(failed,)))

    assert ["3", "0", "0", NOT_MEASURED, "1.1 / 3.4 / 8.9"] == [
        text for text, _note in row(section, 0)
    ]


def test_offered_and_measured_stand_side_by_side(record):
    short = replace(
        record.steps[2],
        load=replace(record.steps[2].load, connections=1_200.0),
        failures={"connect_timeout": 2, "connect_refused": 44},
        lost=3,
        gaps=5,
        unmatched=1,
    )

    assert row(steps_section(replace(record, steps=(short,))), 0) == [
        ("3", ""),
        ("1,246 connections", "2 subscriptions each, 12.5 requests/s; full workload"),
        (
            "1,200 connections",
            "2,492 deliveries/s (511 KiB/s), 12.5 requests/s, 0 handshakes/s",
        ),
        ("1,247", ""),
        ("1,246", ""),
        ("connect refused 44; connect timeout 2", ""),
        ("3", ""),
        ("5", "1 unmatched frame"),
        ("used", ""),
    ]


def test_a_void_step_says_why(record):
    void = replace(record.steps[1], void="a worker was lost")

    assert row(steps_section(replace(record, steps=(void,))), 0)[-1] == (
        "void",
        "a worker was lost",
    )


def test_a_step_that_was_not_reached_has_no_plateau(partial_records):
    shown = row(steps_section(partial_records["one step, not reached"]), 0)

    assert shown[2] == ("no plateau", "")
    assert shown[-1][0] == "not reached"


def test_planned_steps_that_are_missing_are_counted(partial_records):
    section = steps_section(partial_records["aborted"])

    assert section.paragraphs == ("7 of 9 planned steps were not recorded.",)


def test_no_step_is_said(partial_records):
    empty = partial_records["nothing was recorded"]

    assert latency_section(empty).paragraphs == ("No step was recorded.",)
    assert opening_section(empty).paragraphs == ("No phase was measured.",)
    assert polls_section(empty).paragraphs == ("No poll was answered.",)
    assert steps_section(empty).paragraphs[0] == "No step was recorded."


@pytest.mark.parametrize(
    ("numbered", "unmatched", "note"),
    [
        (90, 0, "checked 90 of 100 updates"),
        (0, 0, "not numbered: no gap could be seen"),
        (None, 0, ""),
        (100, 2, "checked 100 of 100 updates; 2 unmatched frames"),
    ],
)
def test_beside_the_gaps_stands_how_many_updates_were_checked(record, numbered, unmatched, note):
    step = replace(record.steps[2], gaps=0, updates=100, numbered=numbered, unmatched=unmatched)

    assert row(steps_section(replace(record, steps=(step,))), 0)[7] == ("0", note)


@pytest.mark.parametrize(
    ("mismatched", "note"),
    [(None, ""), (0, ""), (2, "; 2 by a checksum that does not fit")],
)
def test_gaps_that_a_checksum_showed_are_told_apart(record, mismatched, note):
    step = replace(record.steps[2], gaps=3, updates=100, numbered=10, mismatched=mismatched)
    cell = row(steps_section(replace(record, steps=(step,))), 0)[7]

    assert ("3", f"checked 10 of 100 updates{note}") == cell


def test_orders_have_a_row_for_each_kind_and_way_with_unknown_outcomes_apart(record):
    step = record.steps[2]
    figures = OrderFigures(
        answered=9, refused=1, unknown=2, not_sent=3, latency=step.handshake_time
    )
    section = orders_section(
        replace(record, steps=(record.steps[0], replace(step, orders={"place_rest": figures})))
    )

    assert len(section.table.rows) == 1
    assert [text for text, _ in row(section, 0)][1:7] == ["place", "rest", "9", "1", "2", "3"]
