import math

from capacity.reporting.drawing.capacity_trend import MOST_RUNS, capacity_trend

ENDS = ("2026-11-01", "2026-11-27")


def circles(svg):
    found = svg.iter("{http://www.w3.org/2000/svg}circle")
    return [(float(each.get("cx")), float(each.get("cy"))) for each in found]


def test_a_lower_capacity_is_drawn_lower_and_later_ones_further_right(parsed_svg):
    svg = parsed_svg(capacity_trend("t", [(950, 1000, 1050), (450, 500, 550)], ENDS))
    (x_first, y_first), (x_second, y_second) = circles(svg)

    assert x_first < x_second
    # Downwards in a picture is up in numbers.
    assert y_first < y_second


def test_a_reading_without_an_end_stays_within_the_picture(parsed_svg):
    svg = parsed_svg(capacity_trend("t", [(950, 1000, math.inf)], ENDS))

    ((_x, y),) = circles(svg)
    assert 0 < y < 150


def test_only_the_latest_runs_are_drawn_and_told(parsed_svg):
    text = capacity_trend("t", [(i, i + 1, i + 2) for i in range(MOST_RUNS + 5)], ENDS)

    assert len(circles(parsed_svg(text))) == MOST_RUNS
    assert f"Capacity of {MOST_RUNS} runs, from 6 to {MOST_RUNS + 5} connections." in text
    assert all(day in text for day in ENDS)
