import runpy
from dataclasses import replace
from pathlib import Path

from capacity.planning.advice.advice import advice
from capacity.reporting.advice.advice import advice_sections
from capacity.reporting.formats import html, json_document, markdown

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
)
PLAN, HOST = EXAMPLE["make_plan"](), EXAMPLE["make_host"]()
RECORD = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
DEMAND = EXAMPLE["make_demand"](growth_per_month=EXAMPLE["make_growth"](0.05, 0.01))
ADVISED = replace(PLAN, advice=advice(RECORD, PLAN, DEMAND, [HOST]))


def anchors(plan):
    return [section.anchor for section in advice_sections(plan)]


def test_a_plan_without_advice_and_an_excuse_have_no_sections(excuse):
    assert anchors(PLAN) == []
    assert anchors(excuse) == []


def test_a_demand_adds_instances_and_dates():
    bare = replace(PLAN, advice=advice(RECORD, PLAN))

    assert anchors(bare) == ["storm", "break-even", "sensitivity"]
    assert anchors(ADVISED) == ["sizing", "exhaustion", "storm", "break-even", "sensitivity"]


def test_the_report_has_the_sections(page):
    shown = page(html.render(RECORD, ADVISED))

    assert set(anchors(ADVISED)) <= set(shown.ids)
    assert "## Instances for the demand" in markdown.render(RECORD, ADVISED)


def test_the_document_keeps_the_advice():
    assert json_document.parse(json_document.render(ADVISED)) == ADVISED
