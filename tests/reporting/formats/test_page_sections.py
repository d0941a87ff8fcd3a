import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.planning.advice.advice import advice
from capacity.planning.comparison.comparison import compare
from capacity.reporting.formats.page_sections import comparison_section, page_sections
from capacity.reporting.story import story

PLANTED = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "comparison" / "planted_change.py")
)


def by_anchor(record, plan, more=()):
    sections = page_sections(record, plan, story(record, plan).sections, more)
    return {section.anchor: section for section in sections}


def test_every_column_of_the_bottlenecks_has_one_unit(record, plan):
    table = by_anchor(record, plan)["walls"].table

    assert [cell.text for cell in table.rows[1]] == [
        "memory of the target",
        "7.42",
        "21.7",
        "32,300",
        "29,900",
        "34,900",
        "3",
        "3,760",
    ]
    assert all(not cell.note for row in table.rows for cell in row)


def test_remedies_and_caveats_are_lists(record, plan):
    found = by_anchor(record, plan)

    assert found["walls"].items[0] == (
        "file descriptors: raise descriptors on the target (LimitNOFILE=)"
    )
    assert found["doubts"].table is None
    assert found["doubts"].items == (
        (
            "Unknown limit: The limit of tcp_memory could not be read."
            " Run the agent in the host's network namespace."
        ),
    )


def test_every_chart_of_a_resource_has_its_proof(record, plan):
    figures = by_anchor(record, plan)["resources"].figures

    assert len(figures) == len(plan.ladder)
    for figure in figures:
        assert [part.heading for part in figure.proof[:4]] == [
            "Limit",
            "Readings",
            "Fit",
            "Arithmetic",
        ]
        assert len(figure.proof[1].table.rows) == len(record.steps)


def test_a_limit_that_was_met_has_no_share(record, plan):
    first = plan.ladder[0]
    met = replace(first, limit=replace(first.limit, scope="met"))

    [row] = by_anchor(record, replace(plan, ladder=(met,)))["walls"].table.rows

    assert [cell.text for cell in row[1:3]] == ["not known", "not known"]


def test_delays_follow_the_connections_over_time(record, plan):
    anchors = list(by_anchor(record, plan))

    assert anchors[anchors.index("timeline") + 1] == "delays"


def test_without_a_plan_the_sections_are_those_of_the_story(record, excuse):
    found = by_anchor(record, excuse)

    assert found["walls"].paragraphs == ("No bottleneck could be computed.",)
    assert found["resources"].figures[0].proof == ()


@pytest.fixture(scope="module")
def comparison():
    before, after = PLANTED["measured"](1), PLANTED["measured"](2, memory=1.3)
    return compare([after], [before])


def test_a_comparison_has_a_chart_and_its_caveats(comparison):
    section = comparison_section(comparison)

    assert section.anchor == "baseline"
    assert "worse" in section.figures[0].svg
    assert section.paragraphs[2:] == tuple(comparison.caveats)


def test_an_answer_to_a_demand_has_its_proof_folded_beside_it(record, plan):
    example = runpy.run_path(
        str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
    )
    advised = replace(plan, advice=advice(record, plan, example["make_demand"]()))
    found = by_anchor(record, advised)

    assert [part.heading for part in found["sizing"].proof][::2] == ["Demand", "Arithmetic"]
    assert found["exhaustion"].proof == found["storm"].proof == ()
