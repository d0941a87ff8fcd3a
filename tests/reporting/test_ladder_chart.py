from dataclasses import replace

import pytest

from capacity.reporting.ladder_chart import ladder_chart

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


def test_how_far_the_target_was_tested_stands_in_the_chart(plan):
    assert "tested up to 4,987 connections" in ladder_chart("ladder", plan)


def test_a_ladder_without_walls_is_still_a_picture(plan, parsed_svg):
    svg = ladder_chart("ladder", replace(plan, ladder=()))

    assert parsed_svg(svg).get("role") == "img"
