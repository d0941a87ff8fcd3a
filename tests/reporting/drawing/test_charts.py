import math
import re
from dataclasses import replace

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.reporting.drawing.charts import amount_axis, resource_figures

NAMESPACE = "{http://www.w3.org/2000/svg}"


def lines(figure, parsed_svg, style_class):
    return [
        (path.get("d"), path.get("stroke-dasharray"))
        for path in parsed_svg(figure.svg).iter(f"{NAMESPACE}path")
        if path.get("class") == style_class
    ]


def numbers(path):
    return [float(number) for number in re.findall(r"[\d.]+", path)]


def test_every_wall_has_its_figure(record, plan):
    captions = [figure.caption for figure in resource_figures(record, plan)]

    assert captions == [
        "File descriptors: reaches its limit at 19,948 connections",
        "Memory of the target: reaches its limit at 32,300 connections",
        "Event loop (hottest thread): reaches its limit at 35,000 connections",
        "System file table: reaches its limit at 8,998,600 connections (beyond this chart)",
    ]


@pytest.mark.parametrize(
    ("low", "where"), [(9_000.0, ""), (60_000.0, " (beyond this chart)")], ids=["near", "far"]
)
def test_a_wall_without_an_upper_end_is_drawn_with_real_numbers(record, plan, low, where):
    ceiling = Estimate(low=low, mid=math.inf, high=math.inf, confidence=0.9)
    unplaced = replace(plan.ladder[1], ceiling=ceiling)
    [figure] = resource_figures(record, replace(plan, ladder=(unplaced,)))

    assert figure.caption == f"Memory of the target: holds at least {low:,.0f} connections{where}"
    assert "inf" not in figure.svg
    assert "nan" not in figure.svg


def test_the_extrapolation_is_dashed_and_ends_where_the_limit_is(record, plan, parsed_svg):
    figure = resource_figures(record, plan)[0]

    extrapolated = next(d for d, dash in lines(figure, parsed_svg, "fit") if dash)
    [level, *_] = [d for d, _ in lines(figure, parsed_svg, "limit")]
    _, start_y, _, end_y = numbers(extrapolated)

    assert end_y == pytest.approx(numbers(level)[1], abs=0.2)
    assert start_y > end_y


def test_the_dots_lie_on_the_planted_line(record, plan, parsed_svg):
    figure = resource_figures(record, plan)[0]

    fit = next(d for d, dash in lines(figure, parsed_svg, "fit") if dash is None)
    dots = lines(figure, parsed_svg, "measured")[0][0]
    x_from, y_from, x_to, y_to = numbers(fit)
    places = re.findall(r"M(\S+) (\S+?)h0", dots)

    assert places
    for x, y in places:
        share = (float(x) - x_from) / (x_to - x_from)
        assert float(y) == pytest.approx(y_from + share * (y_to - y_from), abs=0.3)


def test_a_ceiling_below_the_tested_connections_is_not_extrapolated(record, plan, parsed_svg):
    wall = replace(plan.ladder[0], ceiling=Estimate.exactly(4_000))

    [figure] = resource_figures(record, replace(plan, ladder=(wall,)))

    assert [dash for _, dash in lines(figure, parsed_svg, "fit") if dash] == []


def test_a_band_spans_the_interval_of_the_ceiling(record, plan, parsed_svg):
    figures = resource_figures(record, plan)

    bands = [len(list(parsed_svg(figure.svg).iter(f"{NAMESPACE}polygon"))) for figure in figures]

    assert bands == [0, 1, 1, 0]


def test_the_numbers_below_a_chart_compare_measured_and_fit(record, plan):
    table = resource_figures(record, plan)[0].table

    assert [[cell.text for cell in row] for row in table.rows][-1] == [
        "9",
        "4,987",
        "full workload",
        "5,039 descriptors",
        "5,039 descriptors",
    ]


def test_without_a_plan_what_was_measured_is_still_shown(record, excuse):
    figures = resource_figures(record, excuse)

    assert [figure.caption for figure in figures] == [
        "File descriptors, as measured",
        "System file table, as measured",
        "Memory of the target, as measured",
        "Event loop (hottest thread), as measured",
    ]
    assert figures[0].table.rows[0][-1].text == "no fit"


def test_without_samples_a_wall_is_drawn_without_dots(record, plan):
    figures = resource_figures(replace(record, samples=()), plan)

    assert [figure.table for figure in figures] == [None] * 4


@pytest.mark.parametrize(
    ("resource", "high", "expected"),
    [
        (Resource.MEMORY, 3 * 1024**3, "GiB"),
        (Resource.NETWORK_OUT, 5_000, "KiB/s"),
        (Resource.CPU, 4, "cores"),
        (Resource.CPU, math.nan, "cores"),
        (Resource.CPU, 0, "cores"),
    ],
)
def test_an_axis_carries_its_unit_whatever_its_height(resource, high, expected):
    axis = amount_axis(resource, high)

    assert axis.label == expected
    assert len(axis.ticks()) >= 1
