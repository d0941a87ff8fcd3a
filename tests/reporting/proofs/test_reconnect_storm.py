import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.estimates import Estimate
from capacity.planning.advice.arrival_cost import arrival_cost
from capacity.planning.advice.reconnect_storm import storm
from capacity.planning.advice.sizing import sized
from capacity.reporting.proofs.reconnect_storm import arrival_proof, storm_proof

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
)
PLAN = EXAMPLE["make_plan"]()


def proven(cost_s=0.001, cost=None, **changes):
    """Return by heading the lines of each part."""
    demand = EXAMPLE["make_demand"](**changes)
    cost = cost or EXAMPLE["make_arrival_cost"](cost_s)
    sizing = sized(PLAN, demand, ())
    stormed = storm(sizing, cost, demand)
    parts = storm_proof(stormed, sizing.hosts[0], sizing.connections.high, cost, demand)
    return {part.heading: part.paragraphs for part in parts}


LOSS, RESTART = "After planned-for loss of instances", "After restart of the whole target"


def test_the_window_follows_from_reconnects_and_rate():
    reconnects, loop, served, window, queue, recovery = proven()[LOSS]

    assert reconnects == "reconnects: 100,000 / 7 − 100,000 / 8 = 1,785.7 per instance"
    assert loop.startswith("event loop (hottest thread): (1 − 0.")
    assert " cores) / 1 ms = " in loop
    rate = served.removeprefix("served: the lowest, ").removesuffix(" connects/s")
    assert f"= {rate} connects/s" in loop
    assert window.startswith(f"window: 1,785.7 / (0.7 × {rate}) = ")
    assert queue == "accept queue: 1,785.7 > 1,024: overflows if all connect at once"
    assert recovery.startswith("recovers unaided: yes, ")


def test_after_a_restart_nothing_is_taken_off_the_reconnects():
    assert proven()[RESTART][0] == "reconnects: 100,000 / 8 = 12,500 per instance"


@pytest.mark.parametrize(("backlog", "sign"), [(1785.0, ">"), (1786.0, "≤"), (None, "not read")])
def test_the_accept_queue_is_held_against_its_limit(backlog, sign):
    cost = replace(EXAMPLE["make_arrival_cost"](), backlog=backlog)

    assert sign in proven(cost=cost)[LOSS][4]


def test_what_limits_admission_stands_beside_the_resources():
    met = Estimate(low=40.0, mid=50.0, high=60.0, confidence=0.9)
    cost = replace(EXAMPLE["make_arrival_cost"](), admitted_per_s=45.0, admission_per_s=met)
    lines = proven(cost=cost)[LOSS]

    assert lines[2:5] == (
        "declared arrival_limit: 45 connects/s",
        "admission as the ramps met it, lower end: 40 connects/s",
        "served: the lowest, 40 connects/s",
    )


def test_clients_that_dial_at_once_are_shown_not_to_be_served_in_time():
    lines = proven(cost_s=0.01, retry=EXAMPLE["AT_ONCE"], handshake_timeout_s=2.0)[RESTART]

    assert lines[-1].startswith("recovers unaided: no, 12,500 waiting of 12,500 after 0 s at ")
    assert "12,500 ≥ " in lines[-1]


def test_a_target_that_its_load_fills_serves_nobody():
    cost = replace(EXAMPLE["make_arrival_cost"](), admitted_per_s=0.0)
    lines = proven(cost=cost)[LOSS]

    assert "window: nothing is served beside the load; none is long enough" in lines
    assert lines[-1] == "recovers unaided: no, nothing is served beside the load"


def test_the_window_that_is_asked_for_is_held_against_one_instance_less():
    (line,) = proven(reconnect_window_s=1.0)["Window"]

    fewer, enough = (float(part.split(": ")[1]) for part in line.split(" s.")[1:3])
    assert fewer > 1.0 >= enough
    assert "Window" not in proven()


def test_the_ramps_are_the_readings_of_a_connect():
    record = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
    (ramps,) = arrival_proof(record, PLAN, arrival_cost(record, PLAN))
    first, second = (
        [float(cell.text.replace(",", "")) for cell in row] for row in ramps.table.rows[:2]
    )

    assert first == [2.0, 1246.0, 0.0, pytest.approx(0.8 * 1246, rel=0.02)]
    assert second == [3.0, 0.0, 1246.0, pytest.approx(0.2 * 1246, rel=0.02)]
    assert ramps.paragraphs[1].startswith("event loop (hottest thread): a + b = ")


def test_a_connect_whose_cpu_was_not_read_has_no_ramps():
    cost = replace(EXAMPLE["make_arrival_cost"](), cpu_s={})

    assert arrival_proof(EXAMPLE["EXAMPLE"]["make_record"](), PLAN, cost) == ()
