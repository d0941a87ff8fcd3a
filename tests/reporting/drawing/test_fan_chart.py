import math
from dataclasses import replace

import pytest

from capacity.domain.estimates import Estimate
from capacity.reporting.drawing.fan_chart import fan_chart

FAN = tuple(
    Estimate(low=20_000.0 - half, mid=20_000.0, high=20_000.0 + half, confidence=confidence)
    for half, confidence in ((500.0, 0.5), (1_000.0, 0.8), (1_500.0, 0.9))
)


@pytest.fixture
def fanned(plan):
    return replace(plan, capacity=FAN[-1], fan=FAN, safe_capacity=18_500)


def wide(svg, parsed_svg):
    return parsed_svg(f"<div>{svg.replace('xmlns=', 'data-x=')}</div>")[0]


def test_the_fan_has_a_band_a_confidence_the_widest_below(fanned, parsed_svg):
    rects = list(wide(fan_chart("fan", fanned, None), parsed_svg).iter("rect"))
    widths = {rect.get("class"): float(rect.get("width")) for rect in rects}

    assert [rect.get("class") for rect in rects] == ["shade", "outer", "middle", "inner"]
    assert widths["outer"] == pytest.approx(3 * widths["inner"], rel=0.01)
    assert widths["middle"] == pytest.approx(2 * widths["inner"], rel=0.01)


def test_a_plan_of_before_has_the_one_band_that_is_known(plan, parsed_svg):
    rects = wide(fan_chart("fan", plan, None), parsed_svg).iter("rect")

    assert [rect.get("class") for rect in rects] == ["shade", "outer"]


def test_tested_range_safe_capacity_and_demand_are_named(fanned, parsed_svg):
    texts = [text.text for text in wide(fan_chart("fan", fanned, 9_000.0), parsed_svg).iter("text")]

    assert {"20,000", "safe 18,500", "demand 9,000"} <= set(texts)
    assert "tested to 4,987" in texts


def test_who_cannot_see_it_is_told_all_of_it(fanned, parsed_svg):
    said = wide(fan_chart("fan", fanned, 9_000.0), parsed_svg).find("desc").text

    assert said == (
        "Capacity 20,000 connections; interval 18,500 to 21,500 (90 %); safe capacity 18,500;"
        " tested up to 4,987; demand per instance 9,000."
    )


def test_a_capacity_without_an_upper_end_is_drawn_with_real_numbers(plan):
    open_end = Estimate(low=9_000.0, mid=math.inf, high=math.inf, confidence=0.9)
    svg = fan_chart("fan", replace(plan, capacity=open_end), None)

    assert "at least 9,000" in svg
    assert "inf" not in svg
    assert "nan" not in svg
