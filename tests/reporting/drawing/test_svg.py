import re

import pytest

from capacity.reporting.drawing.axis import Axis
from capacity.reporting.drawing.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Area,
    Dots,
    Level,
    Line,
    Moment,
    Span,
    Tone,
    legend,
    plot,
)

NAMESPACE = "{http://www.w3.org/2000/svg}"
DATA_WIDTH = WIDTH - LEFT - RIGHT


def draw(*marks, title="Title"):
    axis = Axis(label="a", high=100.0, text=str)
    return plot("chart", title=title, description="Desc", x=axis, y=axis, marks=marks)


def paths(svg, parsed_svg, style_class):
    found = parsed_svg(svg).iter(f"{NAMESPACE}path")
    return [path.get("d") for path in found if path.get("class") == style_class]


def top_of(svg, parsed_svg):
    [axis] = paths(svg, parsed_svg, "axis")
    return float(re.match(r"M\S+ (\S+)V", axis)[1])


def test_a_planted_line_ends_in_the_corners_of_the_frame(parsed_svg):
    svg = draw(Line(label="l", points=((0, 0), (100, 100)), tone=Tone.FIT))

    line = paths(svg, parsed_svg, "fit")[0]
    numbers = [float(number) for number in re.findall(r"[\d.]+", line)]

    assert numbers == pytest.approx(
        [LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, top_of(svg, parsed_svg)], abs=0.1
    )


def test_a_planted_dot_lies_where_its_numbers_say(parsed_svg):
    svg = draw(Dots(label="d", points=((25, 50),), tone=Tone.MEASURED))

    dot = paths(svg, parsed_svg, "measured")[0]
    x, y = map(float, re.match(r"M(\S+) (\S+)h0", dot).groups())
    top = top_of(svg, parsed_svg)

    assert (x, y) == pytest.approx((LEFT + DATA_WIDTH / 4, (top + HEIGHT - BOTTOM) / 2), abs=0.1)


def test_dots_at_one_place_are_one_dot(parsed_svg):
    points = ((25, 50), (25, 50.001), (75, 50))
    svg = draw(Dots(label="d", points=points, tone=Tone.MEASURED))

    assert paths(svg, parsed_svg, "measured")[0].count("h0") == 2


def test_a_line_is_broken_where_nothing_was_measured(parsed_svg):
    points = ((0, 1), (10, 1), (10, None), (50, 1), (60, 1))

    line = paths(draw(Line(label="l", points=points, tone=Tone.FIT)), parsed_svg, "fit")[0]

    assert (line.count("M"), line.count("L")) == (2, 2)


def test_every_kind_of_mark_is_drawn_and_explained(parsed_svg):
    marks = [
        Span(label="a span", x_from=10, x_to=20, tone=Tone.USED),
        Area(label="an area", corners=((0, 0), (50, 50), (50, 40)), tone=Tone.FIT),
        Level(label="a level", y=80, tone=Tone.LIMIT),
        Moment(label="a moment", x=30, note="lost", tone=Tone.FAILURE),
        Dots(label="some dots", points=((1, 1),), tone=Tone.PARTIAL, is_hollow=True),
    ]

    texts = [text.text for text in parsed_svg(draw(*marks)).iter(f"{NAMESPACE}text")]
    entries = [item[-1].tail.strip() for item in parsed_svg(legend(marks))]

    assert "lost" in texts
    assert entries == ["a span", "an area", "a level", "a moment", "some dots"]


def test_marks_of_one_label_share_a_legend_entry():
    spans = [Span(label="plateau", x_from=x, x_to=x + 5, tone=Tone.USED) for x in (0, 10, 20)]

    assert legend(spans).count("plateau</li>") == 1


def test_marks_without_a_label_need_no_legend():
    assert legend([Level(label="", y=1, tone=Tone.LIMIT)]) == ""


def test_notes_that_would_lie_on_each_other_stand_in_rows(parsed_svg):
    moments = [
        Moment(label="m", x=x, note="worker lost", tone=Tone.FAILURE) for x in (10, 11, 12, 13)
    ]

    notes = [
        (float(text.get("x")), float(text.get("y")))
        for text in parsed_svg(draw(*moments)).iter(f"{NAMESPACE}text")
        if text.text == "worker lost"
    ]

    assert len(notes) == 3
    assert len({y for _, y in notes}) == 3


def test_a_span_is_as_wide_as_its_time(parsed_svg):
    svg = draw(Span(label="", x_from=10, x_to=35, tone=Tone.USED))

    [span] = parsed_svg(svg).iter(f"{NAMESPACE}rect")

    assert float(span.get("width")) == pytest.approx(DATA_WIDTH / 4, abs=0.1)


def test_a_chart_says_what_it_shows_to_who_cannot_see_it(parsed_svg):
    root = parsed_svg(draw())

    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "chart-title chart-desc"
    assert root.find(f"{NAMESPACE}title").text == "Title"
    assert root.find(f"{NAMESPACE}desc").text == "Desc"


def test_hostile_text_stays_text(parsed_svg):
    hostile = "</title><script>alert(1)</script>\x00&"

    svg = draw(Level(label=hostile, y=1, tone=Tone.LIMIT), title=hostile)

    assert not list(parsed_svg(svg).iter(f"{NAMESPACE}script"))
    assert parsed_svg(svg).find(f"{NAMESPACE}title").text == hostile.replace("\x00", "\ufffd")


def test_a_chart_needs_no_style_sheet_and_keeps_to_its_points():
    points = [(x / 100, x % 7) for x in range(10_000)]

    svg = draw(Line(label="l", points=points, tone=Tone.MEASURED))

    assert "style=" not in svg
    assert len(re.findall(r"[ML][\d.]+ [\d.]+", svg)) <= 700


def test_the_last_tick_ends_at_the_edge_of_the_picture():
    axis = Axis(label="time", high=600.0, text=lambda _: "10 min")
    drawn = plot("t", title="T", description="D.", x=axis, y=axis, marks=[])
    ticks = re.findall(r'x="([\d.]+)" y="[\d.]+" text-anchor="(\w+)"[^>]*>10 min<', drawn)

    assert ("560", "end") in ticks
    assert [x for x, anchor in ticks if anchor == "middle" and float(x) > 560 - 33] == []
