import runpy
from pathlib import Path

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


def told(growth):
    demand = EXAMPLE["make_demand"](growth_per_month=Estimate.exactly(growth), instances=8)
    return exhaustion_section(exhaustion(PLAN, demand, sized(PLAN, demand, []), None))


def test_dates_are_days():
    section = told(0.05)

    assert "grows by +5.0% a month" in section.paragraphs[0]
    # 100,000 grow to 8 · 19,948 in ln 1.596 / ln 1.05 = 9.58 months after New Year.
    assert section.table.rows[1][3].text == "2026-10-19"


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
