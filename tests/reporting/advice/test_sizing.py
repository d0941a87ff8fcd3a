import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.answers.sizing import Unanswered
from capacity.planning.advice.sizing import sized
from capacity.reporting.advice.sizing import price, sizing_section, unanswered

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
)
PLAN, HOST = EXAMPLE["make_plan"](), EXAMPLE["make_host"]()


def rows(section):
    return [[cell.text for cell in row] for row in section.table.rows]


def test_every_type_has_its_instances_its_price_and_its_wall():
    tiny = replace(HOST, name="tiny", memory_bytes=30e6)
    section = sizing_section(sized(PLAN, EXAMPLE["make_demand"](), [HOST, tiny]))

    assert rows(section) == [
        ["medium", "8", "800 EUR", "19,208", "file descriptors", "12,500", "63 %", "72 %"],
        ["tiny", "none", "", "", rows(section)[1][4], "", "", ""],
    ]
    assert "none is left" in rows(section)[1][4]
    assert "Cheapest: 8 × medium, 800 EUR per month." in section.paragraphs
    assert section.table.rows[0][1].note == "7 left after losing 1"


def test_without_prices_nobody_is_called_cheapest():
    section = sizing_section(sized(PLAN, EXAMPLE["make_demand"](), []))

    assert rows(section)[0][:3] == ["as tested", "8", "no price"]
    assert any("price_per_month" in paragraph for paragraph in section.paragraphs)


def test_an_unanswered_question_says_why_and_what_helps():
    why = Unanswered(reason="0 of 4 walls.", remedy="Measure again.")

    assert sizing_section(why).paragraphs == ("0 of 4 walls.", "Measure again.")
    assert unanswered("a", "A", why).table is None


@pytest.mark.parametrize(
    ("amount", "text"), [(1080.4, "1,080 EUR"), (3.476, "3.48 EUR"), (0.0, "0 EUR")]
)
def test_cents_are_shown_where_they_matter(amount, text):
    assert price(amount, "EUR") == text
