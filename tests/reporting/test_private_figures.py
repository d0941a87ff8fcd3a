from dataclasses import replace

from capacity.domain.observation import PrivateFigures
from capacity.reporting.private_figures import private_failures, private_held
from capacity.reporting.steps import steps_section


def row(section, index):
    return [(cell.text, cell.note) for cell in section.table.rows[index]]


def test_nothing_is_said_where_all_connections_are_public(record):
    assert ("", "") == (private_held(record.steps[2]), private_failures(record.steps[2]))


def test_what_private_connections_were_stands_beside_what_it_is_part_of(record):
    step = record.steps[2]
    figures = PrivateFigures(
        connections=600.0,
        connects=610,
        failures={"handshake_opening_refused": 12, "connect_refused": 1},
        lost=3,
        updates=5,
        pinged=40,
        half_open=2,
    )
    section = steps_section(replace(record, steps=(replace(step, private=figures),)))
    cells = row(section, 0)

    assert cells[2][1].startswith("600 of them private (2 half-open), ")
    assert cells[5][1] == "private: 12 handshake opening refused; 1 connect refused; 3 lost"


def test_private_connections_that_met_no_trouble_leave_the_failures_alone(record):
    figures = PrivateFigures(
        connections=None, connects=1, failures={}, lost=0, updates=None, pinged=None, half_open=None
    )
    steps = (replace(record.steps[2], private=figures), record.steps[2])
    section = steps_section(replace(record, steps=steps))

    assert row(section, 0) == row(section, 1)
