import csv
import math
from dataclasses import replace

import pytest

from capacity.domain.estimates import Estimate
from capacity.reporting.publishing.figures_csv import COLUMNS, render


def rows(about):
    return list(csv.DictReader(render(about).splitlines()))


def test_every_row_has_every_column(about):
    found = rows(about)

    assert all(set(row) == set(COLUMNS) and None not in row.values() for row in found)
    assert {row["time"] for row in found} == {"2026-01-01T00:00:00+00:00"}
    assert len({row["figure"] for row in found}) == len(found)


def test_numbers_come_back_unrounded(about):
    by_figure = {row["figure"]: row for row in rows(about)}
    wall = about.plan.ladder[1]

    assert float(by_figure["capacity.mid"]["low"]) == about.plan.capacity.low
    assert float(by_figure["ceiling.memory"]["value"]) == wall.ceiling.mid
    assert float(by_figure["cost.memory_per_connection"]["value"]) == 15_400.0
    assert by_figure["cost.memory_per_connection"]["unit"] == "bytes"
    assert float(by_figure["limit.descriptors"]["value"]) == 20_000.0


def test_what_has_no_end_is_empty_and_not_a_number(about):
    first, *rest = about.plan.ladder
    endless = replace(
        first, ceiling=Estimate(low=700.0, mid=math.inf, high=math.inf, confidence=0.9)
    )
    by_figure = {
        row["figure"]: row
        for row in rows(replace(about, plan=replace(about.plan, ladder=(endless, *rest))))
    }

    assert (by_figure["ceiling.descriptors"]["low"], by_figure["ceiling.descriptors"]["value"]) == (
        "700.0",
        "",
    )


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_a_name_is_no_formula(about, sign):
    plan = replace(about.plan, run=f"{sign}HYPERLINK()")

    assert rows(replace(about, plan=plan))[0]["run"] == f"'{sign}HYPERLINK()"
