import re
import runpy
from pathlib import Path

from capacity.planning.advice.sizing import sized
from capacity.reporting.proofs.sizing import sizing_proof

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
)
PLAN = EXAMPLE["make_plan"]()


def proven(hosts=(), **changes):
    demand = EXAMPLE["make_demand"](**changes)
    return sizing_proof(PLAN, sized(PLAN, demand, hosts), demand)


def test_a_demand_without_growth_is_taken_as_it_is_given():
    demand, *_ = proven()

    assert demand.paragraphs == ("100,000 connections, as the demand growing gives them",)


def test_a_demand_that_grows_is_sized_by_the_upper_end_of_its_growth():
    growth = EXAMPLE["make_growth"](0.05, 0.01)
    demand, *_ = proven(growth_per_month=growth, size_for_at=EXAMPLE["JULY_AT"])

    assert demand.paragraphs[0].startswith(
        "100,000 × (1 + 0.06)^5.947 months = 141,411 connections"
    )
    assert "(0.04 to 0.06 a month, middle 0.05)" in demand.paragraphs[0]


def test_each_step_of_the_arithmetic_gives_the_next():
    *_, arithmetic = proven([EXAMPLE["make_host"]()])
    _, safe, instances, peak, loss, price = arithmetic.paragraphs

    assert safe == "medium: ⌊min(19,208, 19,948)⌋ = 19,208 safe; ⌊19,208 × 0.8⌋ = 15,366 usable"
    assert instances == (
        "medium: 1 zone × ⌈(⌈100,000 / 15,366⌉ + 1 lost) / 1 left⌉ = 8 instances, 7 after the loss"
    )
    assert peak.startswith("medium at peak: 100,000 / 8 = 12,500 connections; file ")
    assert loss.startswith("medium after loss: 100,000 / 7 = 14,286 connections; ")
    assert price == "medium: 8 × 100 EUR = 800 EUR per month"


def test_without_a_price_and_a_loss_there_is_nothing_to_show_of_them():
    *_, arithmetic = proven(lost_instances=0)

    assert not [line for line in arithmetic.paragraphs if re.search("per month|after loss", line)]


def test_the_lowest_limits_of_a_host_type_stand_with_where_they_are_from():
    _, limits, _ = proven([EXAMPLE["make_host"](memory_bytes=400 * 1024.0**2)])
    first, second = limits.table.rows

    assert [cell.text for cell in first[:4]] == [
        "medium",
        "file descriptors",
        "20,000 descriptors",
        "as measured",
    ]
    assert [cell.text for cell in second[1:4]] == ["memory of the target", "400 MiB", "memory"]


def test_a_host_type_that_carries_nothing_says_why():
    *_, arithmetic = proven([EXAMPLE["make_host"](memory_bytes=30e6)])

    assert arithmetic.paragraphs[-1].startswith("medium: none. Too small: ")
