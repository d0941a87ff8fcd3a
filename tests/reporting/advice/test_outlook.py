import runpy
from pathlib import Path

import pytest

from capacity.domain.answers.sizing import Unanswered
from capacity.domain.estimates import Estimate
from capacity.planning.advice.exhaustion import exhaustion
from capacity.planning.advice.sensitivity import sensitivities
from capacity.planning.advice.sizing import sized
from capacity.reporting.advice.outlook import exhaustion_section, sensitivity_section

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
)
PLAN = EXAMPLE["make_plan"]()


def told(growth, instances=8):
    demand = EXAMPLE["make_demand"](growth_per_month=Estimate.exactly(growth), instances=instances)
    return exhaustion_section(exhaustion(PLAN, demand, sized(PLAN, demand, []), None), demand)


def test_dates_are_days():
    section = told(0.05)

    assert "grows by +5.0% a month" in section.paragraphs[0]
    # 100,000 grow to 8 · 19,948 in ln 1.596 / ln 1.05 = 9.58 months after New Year.
    assert section.table.rows[1][3].text == "2026-10-19"


def test_the_dates_name_whose_they_are():
    assert told(0.05).paragraphs[0].startswith("8 present instances like the tested host; demand")
    assert (
        told(0.05, None)
        .paragraphs[0]
        .startswith("8 instances like the tested host, as sized for the demand; demand")
    )


@pytest.mark.parametrize(("instances", "is_used_up"), [(5, True), (6, False)])
def test_what_does_not_suffice_on_the_day_of_the_demand_is_exhausted_already(instances, is_used_up):
    days = {cell.text for cell in told(0.05, instances).table.rows[1][2:]}

    assert (days == {"already exhausted"}) == is_used_up


def test_never_is_not_a_date():
    assert told(-0.05).table.rows[1][3].text == "not within 50 years"


def test_no_answer_says_why():
    why = Unanswered(reason="Why not.", remedy="What helps.")

    assert exhaustion_section(why).paragraphs == ("Why not.", "What helps.")


def test_every_wall_says_what_it_is_worth():
    section = sensitivity_section(sensitivities(PLAN))

    assert [cell.text for cell in section.table.rows[0]] == [
        "file descriptors",
        "1",
        "21,900",
        "22,200",
    ]
    assert len(section.table.rows) == len(PLAN.ladder)
