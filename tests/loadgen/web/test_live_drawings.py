import math
from xml.etree import ElementTree as ET

import pytest

from capacity.domain.estimates import Estimate
from capacity.loadgen.web.live_drawings import MOST_POINTS, bar, forecast, thinned, timeline

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


def test_a_forecast_without_an_upper_end_is_drawn_to_the_edge():
    svg = forecast([(1, estimate(100.0, math.inf, math.inf))], 50)

    assert "nan" not in svg.lower()
    assert "at least 100" in svg


@pytest.mark.parametrize(
    ("ratio", "width"), [(0.0, "0.6"), (0.5, "50.0"), (1.0, "100.0"), (7.0, "100.0")]
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
