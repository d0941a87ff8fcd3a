import math
from dataclasses import replace
from itertools import pairwise

import pytest

from capacity.domain.estimates import Estimate
from capacity.reporting.drawing.headroom_chart import (
    FARTHEST_RATIO,
    FEWEST_ROWS,
    MOST_ROWS,
    headroom_chart,
    near_walls,
    shares,
)


def pictures(svg, parsed_svg):
    return list(parsed_svg(f"<div>{svg.replace('xmlns=', 'data-x=')}</div>"))


def test_each_share_is_the_planted_use_over_the_limit(plan):
    memory = plan.ladder[1]
    idle, tested, forecast = shares(memory, plan)
    size = memory.limit.value

    assert idle == memory.used_at_baseline / size
    assert tested == memory.used_at_highest / size
    per_connection = memory.cost.marginal_along(plan.mix)
    assert forecast == pytest.approx(
        (memory.cost.baseline.mid + per_connection * plan.capacity.mid) / size
    )


def test_the_bottleneck_fills_its_limit_at_the_capacity(plan):
    assert shares(plan.ladder[0], plan)[2] == pytest.approx(1.0, abs=1e-3)


def test_a_limit_that_the_run_met_has_no_share(plan, parsed_svg):
    first = plan.ladder[0]
    met = replace(first, limit=replace(first.limit, scope="met"))
    svg = headroom_chart("h", replace(plan, ladder=(met, *plan.ladder[1:])), None)

    assert shares(met, plan) is None
    assert "met by this run" in [text.text for text in pictures(svg, parsed_svg)[0].iter("text")]


@pytest.mark.parametrize(("ratio", "rows"), [(FARTHEST_RATIO, 4), (FARTHEST_RATIO * 1.01, 3)])
def test_what_runs_out_much_later_has_no_row(plan, ratio, rows):
    first = plan.ladder[0]
    far = replace(plan.ladder[1], ceiling=Estimate.exactly(first.ceiling.mid * ratio))

    assert len(near_walls(replace(plan, ladder=(*[first] * FEWEST_ROWS, far)))) == rows


def test_there_are_no_more_rows_than_a_first_screen_holds(plan):
    assert len(near_walls(replace(plan, ladder=plan.ladder[:2] * 9))) == MOST_ROWS


def test_names_ceilings_intervals_and_the_demand_are_written(plan, parsed_svg):
    wide, narrow = pictures(headroom_chart("h", plan, 1_430.0), parsed_svg)
    texts = {text.text for text in wide.iter("text")}

    assert {"file descriptors", "32,300 (29,900 to 34,900)", "demand 1,430"} <= texts
    assert "tested to 4,987" in texts
    assert {"file descriptors", "32,300"} <= {text.text for text in narrow.iter("text")}


def test_who_cannot_see_it_is_told_each_row(plan, parsed_svg):
    said = pictures(headroom_chart("h", plan, None), parsed_svg)[0].find("desc").text

    assert "memory of the target: 7 % of its limit idle, 22 % at the tested peak" in said
    assert "runs out at 32,300 connections (29,900 to 34,900 (90 %))." in said


def test_ceilings_without_an_upper_end_are_drawn_with_real_numbers(plan):
    open_end = Estimate(low=9_000.0, mid=math.inf, high=math.inf, confidence=0.9)
    ladder = (plan.ladder[0], replace(plan.ladder[1], ceiling=open_end))

    svg = headroom_chart("h", replace(plan, ladder=ladder), None)

    assert "at least 9,000" in svg
    assert "inf" not in svg


def test_without_a_wall_there_is_no_row(plan):
    assert near_walls(replace(plan, ladder=())) == ()


@pytest.mark.parametrize("far", [1e5, 1e9, 1e12])
def test_words_below_the_axis_never_lie_on_each_other(plan, parsed_svg, far):
    last = replace(plan.ladder[1], ceiling=Estimate.exactly(far))
    chart = headroom_chart("h", replace(plan, ladder=(plan.ladder[0], last)), None)
    wide = pictures(chart, parsed_svg)[0]
    below = max(float(text.get("y")) for text in wide.iter("text"))
    ticks = [
        (float(text.get("x")), text.text)
        for text in wide.iter("text")
        if float(text.get("y")) == below and "%" not in text.text
    ]

    assert len(ticks) > 1
    for (x, left), (next_x, right) in pairwise(ticks):
        assert next_x - x >= 6.5 * (len(left) + len(right)) / 2
