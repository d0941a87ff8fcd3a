import math
import re

import pytest

from capacity.reporting.drawing.bars import (
    NARROW,
    WIDE,
    Bar,
    Fill,
    Line,
    Part,
    Scale,
    bars,
    clipped,
    powers,
)

NAMESPACE = "{http://www.w3.org/2000/svg}"
SCALE = Scale(low=0.0, high=100.0)
ROW = Bar(label="small", parts=[Part(start=0.0, end=40.0, fill=Fill.TESTED)], text="40")


def drawn(parsed_svg, *rows, scale=SCALE, **more):
    svg = bars("b", title="T", scale=scale, rows=rows, **more)
    return list(parsed_svg(f"<div>{svg.replace('xmlns=', 'data-x=')}</div>"))


def test_a_bar_is_as_long_as_its_value_in_both_pictures(parsed_svg):
    for picture, geometry in zip(drawn(parsed_svg, ROW), (WIDE, NARROW), strict=True):
        [rect] = picture.iter("rect")
        room = geometry.width - geometry.left - geometry.right

        assert float(rect.get("width")) == pytest.approx(0.4 * room, abs=0.1)
        assert float(rect.get("x")) == geometry.left


def test_without_a_style_sheet_only_the_wide_picture_shows(parsed_svg):
    assert [picture.get("display") for picture in drawn(parsed_svg, ROW)] == [None, "none"]


def test_both_pictures_have_names_of_their_own(parsed_svg):
    titles = [picture.find("title").get("id") for picture in drawn(parsed_svg, ROW)]

    assert titles == ["b-title", "b-narrow-title"]


@pytest.mark.parametrize(
    ("value", "share"), [(1.0, 0.0), (10.0, 0.5), (100.0, 1.0), (0.1, 0.0), (math.inf, 1.0)]
)
def test_a_logarithmic_scale_goes_by_factors_and_ends_at_its_edges(value, share):
    assert Scale(low=1.0, high=100.0, is_log=True).share(value) == pytest.approx(share)


@pytest.mark.parametrize(("value", "share"), [(-5.0, 0.0), (25.0, 0.25), (500.0, 1.0)])
def test_what_is_outside_lies_at_the_edge(value, share):
    assert SCALE.share(value) == share


def test_a_line_a_shade_and_ticks_are_named(parsed_svg):
    scale = Scale(low=0.0, high=100.0, ticks=(50.0,))
    wide, _ = drawn(
        parsed_svg, ROW, scale=scale, lines=[Line(at=80.0, label="demand")], shade=(0, 20, "tested")
    )

    assert {text.text for text in wide.iter("text")} >= {"demand", "tested", "50.0", "small", "40"}


def test_the_most_likely_value_is_a_dot(parsed_svg):
    row = Bar(label="a", parts=(), text="x", dot=50.0, is_first=True)
    wide, _ = drawn(parsed_svg, row)
    [dot] = wide.iter("circle")

    assert dot.get("class") == "hot"
    assert float(dot.get("cx")) == WIDE.x(SCALE, 50.0)


def test_hostile_names_stay_text(parsed_svg):
    row = Bar(label="<script>", parts=(), text="</svg>")

    assert not [each for picture in drawn(parsed_svg, row) for each in picture.iter("script")]


@pytest.mark.parametrize(("most", "shown"), [(5, "event"), (4, "eve…"), (1, "e…")])
def test_a_name_is_cut_where_there_is_no_room(most, shown):
    assert clipped("event", most) == shown


def test_powers_of_ten_lie_within_the_ends():
    assert powers(3.0, 2_000.0) == (10.0, 100.0, 1_000.0)
    assert powers(10.0, 100.0) == (10.0, 100.0)


def test_colours_stand_in_attributes_alone():
    svg = bars("b", title="T", scale=SCALE, rows=[ROW])

    assert not re.search(r"style=", svg)


def test_a_number_that_would_leave_the_picture_stands_before_its_bar(parsed_svg):
    long = "15,300,000 (8,250,000 to 28,600,000)"
    behind, before = (
        Bar(label="", parts=[Part(start=90.0, end=100.0, fill=Fill.TESTED)], text=text)
        for text in ("40", long)
    )
    near, far = (
        next(text for text in drawn(parsed_svg, row)[0].iter("text") if text.text == row.text)
        for row in (behind, before)
    )

    assert (near.get("text-anchor"), far.get("text-anchor")) == ("start", "end")
    assert 0.0 < float(far.get("x")) <= WIDE.width


@pytest.mark.parametrize("at", [0.0, 100.0])
def test_a_line_at_the_edge_keeps_its_words_inside(parsed_svg, at):
    for picture in drawn(parsed_svg, ROW, lines=[Line(at=at, label="demand 1,430")]):
        width = float(picture.get("width"))
        [word] = [text for text in picture.iter("text") if text.text == "demand 1,430"]

        assert 12 * 4.5 <= float(word.get("x")) <= width - 12 * 4.5


def test_who_cannot_see_the_bars_is_told_each(parsed_svg):
    other = Bar(label="large", parts=[Part(start=0.0, end=90.0, fill=Fill.TESTED)], text="90 ms")

    for picture in drawn(parsed_svg, ROW, other):
        assert "small: 40; large: 90 ms." == next(picture.iter("desc")).text
