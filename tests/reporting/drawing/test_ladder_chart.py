import math
from dataclasses import replace

import pytest

from capacity.domain.estimates import Estimate
from capacity.reporting.drawing.ladder_chart import ladder_chart

NAMESPACE = "{http://www.w3.org/2000/svg}"


def widths(svg, parsed_svg):
    return [float(rect.get("width")) for rect in parsed_svg(svg).iter(f"{NAMESPACE}rect")]


def test_bars_are_as_long_as_their_ceilings(plan, parsed_svg):
    first, second, third, _ = widths(ladder_chart("ladder", plan), parsed_svg)

    ceilings = [wall.ceiling.mid for wall in plan.ladder]

    assert second / first == pytest.approx(ceilings[1] / ceilings[0], rel=0.01)
    assert third / first == pytest.approx(ceilings[2] / ceilings[0], rel=0.01)


def test_a_far_wall_is_cut_off_with_an_arrow_and_its_number(plan, parsed_svg):
    svg = ladder_chart("ladder", plan)

    texts = [text.text for text in parsed_svg(svg).iter(f"{NAMESPACE}text")]

    assert "8,998,600 →" in texts
    assert widths(svg, parsed_svg)[3] <= 760


def test_a_wall_without_an_upper_end_has_a_whisker_that_is_open(plan, parsed_svg):
    ceiling = Estimate(low=9_000.0, mid=math.inf, high=math.inf, confidence=0.9)
    svg = ladder_chart(
        "ladder", replace(plan, ladder=(plan.ladder[0], replace(plan.ladder[1], ceiling=ceiling)))
    )
    ends = [
        path.get("d").count("v10")
        for path in parsed_svg(svg).iter(f"{NAMESPACE}path")
        if path.get("class") == "whisker"
    ]

    assert ends == [2, 1]
    assert "at least 9,000 →" in [text.text for text in parsed_svg(svg).iter(f"{NAMESPACE}text")]
    assert "inf" not in svg


def test_how_far_the_target_was_tested_stands_in_the_chart(plan):
    assert "tested up to 4,987 connections" in ladder_chart("ladder", plan)


def test_a_ladder_without_walls_is_still_a_picture(plan, parsed_svg):
    svg = ladder_chart("ladder", replace(plan, ladder=()))

    assert parsed_svg(svg).get("role") == "img"
