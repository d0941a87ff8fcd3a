import runpy
from pathlib import Path

from capacity.planning.advice.exhaustion import exhaustion
from capacity.planning.advice.sizing import sized
from capacity.reporting.proofs.outlook import exhaustion_proof

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
)
PLAN = EXAMPLE["make_plan"]()


def proven(growth=0.05, **changes):
    width = EXAMPLE["make_growth"](growth, 0.01)
    demand = EXAMPLE["make_demand"](growth_per_month=width, **changes)
    return exhaustion_proof(exhaustion(PLAN, demand, sized(PLAN, demand, ()), None), demand)


def test_what_is_used_up_is_instances_times_one():
    carried, _ = proven(instances=10)

    assert carried.paragraphs == (
        "Whose they are: 10 present instances like the tested host",
        (
            "headroom and reserve instances: 9 of 10 instances left after the planned-for loss, × 0.8"
            " for headroom, × 19,948 connections of one = 143,626 connections (139,032 to 143,626)"
        ),
        (
            "all instances, without headroom: 10 instances, × 19,948 connections of one ="
            " 199,480 connections (193,100 to 199,480)"
        ),
    )


def test_the_date_follows_from_growth_at_its_middle():
    _, arithmetic = proven(instances=10)

    assert arithmetic.paragraphs[1] == (
        "all instances, without headroom: t = ln(199,480 / 100,000) / ln(1 + 0.05) = 14.153 months"
        " after 2026-01-01: 2027-03-07, both at their middle"
    )
    assert "199 × 199" in arithmetic.paragraphs[-1]


def test_what_is_used_up_already_has_no_date_to_come():
    _, arithmetic = proven(instances=5)

    assert arithmetic.paragraphs[1].endswith(
        "99,740 is not above the demand of 100,000 on 2026-01-01: exhausted then"
    )


def test_a_demand_that_does_not_grow_is_told_as_such():
    _, arithmetic = proven(growth=0.0, instances=10)

    assert arithmetic.paragraphs[1].endswith("demand does not grow at its middle (0 a month)")
