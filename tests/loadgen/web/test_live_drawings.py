import math
from xml.etree import ElementTree as ET

import pytest

from capacity.domain.estimates import Estimate
from capacity.loadgen.web.live_drawings import Scale, bar, forecast, thinned, timeline

MOST_POINTS = 240

EVIL = '"><script>alert(1)</script>'


def estimate(low, mid, high):
    return Estimate(low=low, mid=mid, high=high, confidence=0.9)


def numbers_of(svg, tag, name):
    return [float(each.get(name)) for each in ET.fromstring(svg).iter(tag) if each.get(name)]


def test_connections_over_time_show_generator_target_and_plateaus():
    svg = timeline([(0.0, 0.0), (20.0, 100.0)], [(1.0, 0.0), (20.0, 99.0)], [(5.0, 10.0)], 100)
    classes = [each.get("class") for each in ET.fromstring(svg).iter() if each.get("class")]

    assert {"line generator", "line target", "band"} <= set(classes)
    assert "now 100" in ET.fromstring(svg).get("aria-label")


@pytest.mark.parametrize(("most", "marks"), [(0.0, 1), (1.0, 1), (100.0, 2)])
def test_an_axis_never_says_one_number_twice(most, marks):
    svg = ET.fromstring(timeline([(0.0, 0.0), (20.0, most)], [], [], 0))
    said = [each.text for each in svg.iter() if each.get("text-anchor") == "end"][:-1]

    assert len(said) == len(set(said)) == marks


def test_before_the_first_point_there_is_no_figure():
    assert "" == timeline([], [], [], 10)
    assert "" == forecast([], 10)


def test_an_interval_that_tightens_is_drawn_as_bars_that_shrink():
    svg = forecast([(2, estimate(500, 1500, 4000)), (4, estimate(1200, 1450, 1600))], 300)
    bars = [each.get("d") for each in ET.fromstring(svg).iter() if each.get("class") == "interval"]
    spans = []
    for d in bars:
        low, high = d.split("M")[1].split("V")
        spans.append(float(low.split()[1]) - float(high))

    assert spans[0] > spans[1] > 0
    assert "1,200 to 1,600 (90 %)" in ET.fromstring(svg).get("aria-label")


@pytest.mark.parametrize("steps", [1, 2, 7, 40])
def test_any_number_of_steps_stays_within_the_picture(steps):
    svg = forecast([(step, estimate(10, 20, 30)) for step in range(steps)], 5)

    assert all(
        0 <= x <= 540 for x in numbers_of(svg, "circle", "cx") + numbers_of(svg, "text", "x")
    )
    assert steps == len(numbers_of(svg, "circle", "cx"))


@pytest.mark.parametrize(
    ("steps", "places"), [(1, [270.0]), (2, [52.0, 514.0]), (3, [52.0, 283.0, 514.0])]
)
def test_steps_stand_from_margin_to_margin_and_one_alone_in_the_middle(steps, places):
    svg = forecast([(step, estimate(10, 20, 30)) for step in range(steps)], 5)

    assert places == numbers_of(svg, "circle", "cx")


def test_a_forecast_without_an_upper_end_is_drawn_to_the_edge():
    svg = forecast([(1, estimate(100.0, math.inf, math.inf))], 50)

    assert "nan" not in svg.lower()
    assert "at least 100" in svg


@pytest.mark.parametrize(
    ("ratio", "width"),
    [
        (-1.0, "0.6"),
        (0.007, "0.7"),
        (0.12345, "12.3"),
        (0.0, "0.6"),
        (0.5, "50.0"),
        (1.0, "100.0"),
        (7.0, "100.0"),
    ],
)
def test_a_bar_is_as_long_as_the_share_and_never_longer_than_whole(ratio, width):
    assert f'class="ok" width="{width}"' in bar(ratio, "ok")


def test_an_unknown_share_has_no_bar():
    assert "" == bar(None, "ok")


def test_nothing_that_is_given_becomes_markup():
    assert "<script>" not in bar(0.5, EVIL)


def test_thinning_keeps_peaks_and_the_last_point():
    points = [(float(x), 1000.0 if x == 777 else 1.0) for x in range(5000)]
    kept = thinned(points)

    assert len(kept) <= MOST_POINTS + 1
    assert (777.0, 1000.0) in kept
    assert points[-1] == kept[-1]
    assert points[:10] == thinned(points[:10])


def test_a_run_is_drawn_to_its_last_second_and_a_young_one_to_ten():
    def last_plateau(end_s):
        svg = timeline([(0.0, 0.0), (end_s, 9.0)], [], [(end_s - 1.0, end_s)], 9)
        x, width = (numbers_of(svg, "rect", name)[-1] for name in ("x", "width"))
        return x + width

    assert 514 == pytest.approx(last_plateau(20.0), abs=1)
    assert 514 == pytest.approx(last_plateau(10.0), abs=1)
    assert 283 == pytest.approx(last_plateau(5.0), abs=1)


def test_every_word_of_a_figure_is_within_it():
    drawings = (
        timeline([(0.0, 0.0), (20.0, 100.0)], [], [], 100),
        forecast([(2, estimate(500, 1500, 4000))], 300),
    )
    for svg in drawings:
        _left, _top, width, height = map(float, ET.fromstring(svg).get("viewBox").split())

        assert all(0 <= x <= width for x in numbers_of(svg, "text", "x"))
        assert all(0 < y < height for y in numbers_of(svg, "text", "y"))
        assert numbers_of(svg, "text", "y")


@pytest.mark.parametrize(
    ("x", "drawn"), [(0.0, 52.0), (1.03, 99.6), (5.0, 283.0), (10.0, 514.0), (11.0, 514.0)]
)
def test_the_horizontal_axis_reaches_from_margin_to_margin(x, drawn):
    assert drawn == Scale(most_x=10.0, most_y=100.0).x(x)


@pytest.mark.parametrize(
    ("y", "drawn"),
    [(-1.0, 174.0), (0.0, 174.0), (10.3, 157.5), (50.0, 94.0), (100.0, 14.0), (101.0, 14.0)],
)
def test_the_vertical_axis_grows_upwards(y, drawn):
    assert drawn == Scale(most_x=10.0, most_y=100.0).y(y)


def lines(svg):
    """Return one line a piece of the picture, without its frame and what every picture has alike."""
    return svg.replace("><", ">\n<").splitlines()[1:-1]


def test_a_run_is_drawn_with_its_plateau_its_grid_and_both_lines():
    svg = timeline([(0.0, 0.0), (20.0, 100.0)], [(1.0, 0.0), (20.0, 99.0)], [(5.0, 10.0)], 90)

    assert lines(svg) == [
        '<rect class="band" x="167.5" y="14.0" height="160.0" width="115.5"/>',
        '<path class="grid" d="M52.0 94.0H514.0"/>',
        '<text x="46.0" y="98.0" text-anchor="end">57</text>',
        '<path class="grid" d="M52.0 34.9H514.0"/>',
        '<text x="46.0" y="38.9" text-anchor="end">100</text>',
        '<path class="axis" d="M52.0 174.0H514.0"/>',
        '<text x="52.0" y="192.0" text-anchor="start">0 s</text>',
        '<text x="514.0" y="192.0" text-anchor="end">20 s</text>',
        '<path class="line target" d="M75.1 174.0L514.0 36.3"/>',
        '<path class="line generator" d="M52.0 174.0L514.0 34.9"/>',
    ]


@pytest.mark.parametrize(
    ("generator", "target", "asked", "shown"),
    [(3.0, 2.0, 400, "400"), (400.0, 2.0, 3, "400"), (3.0, 400.0, 2, "400"), (0.0, 0.0, 0, "1")],
)
def test_the_largest_count_that_was_asked_for_or_seen_has_its_rule(generator, target, asked, shown):
    svg = timeline([(0.0, generator)], [(0.0, target)], [], asked)

    assert any(f">{shown}</text>" in line for line in lines(svg)[:4])


def test_a_plateau_is_seen_however_short_it_is():
    assert 'width="1.0"' in lines(timeline([(99.0, 1.0)], [], [(5.0, 5.01)], 1))[0]


def test_a_forecast_is_drawn_with_band_bars_and_what_was_tested():
    svg = forecast([(2, estimate(500, 1500, 4000)), (4, estimate(1200, 1450, 1600))], 300)

    assert lines(svg) == [
        '<polygon class="band" points="52.0,14.0 514.0,74.0 514.0,99.0 52.0,142.8"/>',
        '<path class="grid" d="M52.0 94.0H514.0"/>',
        '<text x="46.0" y="98.0" text-anchor="end">1,280</text>',
        '<path class="grid" d="M52.0 14.0H514.0"/>',
        '<text x="46.0" y="18.0" text-anchor="end">2,560</text>',
        '<path class="axis" d="M52.0 174.0H514.0"/>',
        '<text x="514.0" y="192.0" text-anchor="end">',
        "</text>",
        '<path class="tested" d="M52.0 155.2H514.0"/>',
        '<text x="514.0" y="151.2" text-anchor="end">tested 300</text>',
        '<path class="interval" d="M52.0 142.8V14.0M47.0 142.8h10M47.0 14.0h10"/>',
        '<circle class="middle" cx="52.0" cy="80.2" r="4"/>',
        '<path class="interval" d="M514.0 99.0V74.0M509.0 99.0h10M509.0 74.0h10"/>',
        '<circle class="middle" cx="514.0" cy="83.4" r="4"/>',
        '<text x="52.0" y="192.0" text-anchor="middle">step 3</text>',
        '<text x="514.0" y="192.0" text-anchor="middle">step 5</text>',
    ]


@pytest.mark.parametrize(
    ("last", "tested", "most"),
    [
        (estimate(100, 200, 300), 50, "480"),
        (estimate(100, 200, 900), 50, "960"),
        (estimate(100, math.inf, math.inf), 50, "320"),
        (estimate(100, 200, 300), 500, "800"),
        (estimate(0, 0, 0), 0, "0"),
    ],
    ids=["the upper end", "thrice the middle", "twice the lower end", "what was tested", "nothing"],
)
def test_a_forecasts_axis_ends_beyond_what_has_to_be_seen(last, tested, most):
    svg = forecast([(1, estimate(1, 1, 9999)), (2, last)], tested)

    assert f'y="18.0" text-anchor="end">{most}</text>' in svg or most == "0"
    assert "nan" not in svg


@pytest.mark.parametrize(
    ("steps", "labels"),
    [(6, 6), (7, 4), (12, 6), (13, 5)],
    ids=["all", "half", "half of 12", "third"],
)
def test_at_most_six_steps_have_their_label(steps, labels):
    svg = forecast([(step, estimate(10, 20, 30)) for step in range(steps)], 5)

    assert labels == svg.count(">step ")


@pytest.mark.parametrize(
    ("points", "most", "kept"), [(4, 4, [0, 1, 2, 3]), (5, 4, [1, 3, 4]), (9, 4, [2, 5, 7, 8])]
)
def test_of_each_piece_the_highest_point_is_kept(points, most, kept):
    rising = [(float(x), float(x)) for x in range(points)]

    assert [(float(x), float(x)) for x in kept] == thinned(rising, most)


def test_a_figure_has_240_points_and_the_last_one():
    assert 240 == len(thinned([(float(x), 1.0) for x in range(240)]))
    assert 121 == len(thinned([(float(x), 1.0) for x in range(241)]))
