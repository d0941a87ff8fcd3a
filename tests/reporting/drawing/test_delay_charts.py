import re
from dataclasses import replace

from capacity.reporting.drawing.delay_charts import delay_figures

NAMESPACE = "{http://www.w3.org/2000/svg}"


def test_each_kind_of_delay_that_was_measured_has_its_chart(record):
    assert [figure.caption for figure in delay_figures(record)] == [
        "Delivery delay by percentile",
        "Request latency by percentile",
        "Handshake time by percentile",
    ]


def test_three_lines_rise_from_the_median_to_the_tail(record, parsed_svg):
    figure = delay_figures(record)[0]
    heights = []
    for style_class in ("measured", "tested", "limit"):
        line, *_ = [
            path.get("d")
            for path in parsed_svg(figure.svg).iter(f"{NAMESPACE}path")
            if path.get("class") == style_class
        ]
        heights.append(float(re.match(r"M\S+ ([\d.]+)", line)[1]))

    assert heights[0] > heights[1] > heights[2]
    assert all(f"{name}</li>" in figure.legend for name in ("p50", "p95", "p99"))


def test_void_steps_and_missing_delays_are_left_out(record, partial_records):
    void = replace(record, steps=tuple(replace(step, void="late") for step in record.steps))

    assert delay_figures(void) == ()
    assert delay_figures(partial_records["no steps"]) == ()


def test_the_highest_tail_is_said(record):
    assert "the highest p99 is 8.9 ms" in delay_figures(record)[0].svg
