import re
from dataclasses import replace

import pytest

from capacity.domain.resources import Resource
from capacity.domain.run import RunEvent
from capacity.reporting.drawing.svg import LEFT, RIGHT, WIDTH
from capacity.reporting.drawing.timeline import connections_figure

NAMESPACE = "{http://www.w3.org/2000/svg}"
DURATION_S = 216.0


def texts(record, parsed_svg):
    svg = connections_figure(record).svg
    return [text.text for text in parsed_svg(svg).iter(f"{NAMESPACE}text")]


def bands(record, parsed_svg, style_class):
    rects = parsed_svg(connections_figure(record).svg).iter(f"{NAMESPACE}rect")
    return [
        rect
        for rect in rects
        if rect.get("class") == style_class and float(rect.get("height")) > 10
    ]


def test_every_plateau_is_a_band_at_its_time(record, parsed_svg):
    drawn = bands(record, parsed_svg, "plateau")

    scale = (WIDTH - LEFT - RIGHT) / DURATION_S

    assert [float(band.get("x")) for band in drawn] == pytest.approx(
        [LEFT + (12 + 24 * index) * scale for index in range(9)], abs=0.2
    )


def test_void_plateaus_look_different(record, parsed_svg):
    void = replace(record.steps[0], void="a worker was lost")

    spoiled = replace(record, steps=(void, *record.steps[1:]))

    assert len(bands(spoiled, parsed_svg, "void")) == 1
    assert len(bands(spoiled, parsed_svg, "plateau")) == 8


def test_the_generators_count_comes_first_then_the_targets_then_the_plateaus(record):
    without_points = replace(record, points=())
    samples = tuple(
        replace(sample, used={**sample.used, Resource.APPLICATION_CONNECTIONS: 7.0})
        for sample in record.samples
    )

    counted = replace(without_points, samples=samples)

    assert "open, counted by the generator" in connections_figure(record).legend
    assert "open, counted on the target" in connections_figure(counted).legend
    assert "open, mean of the plateau" in connections_figure(without_points).legend


def test_a_hole_in_the_counts_breaks_the_line(record, parsed_svg):
    svg = connections_figure(record).svg

    [line, *_] = [
        path.get("d")
        for path in parsed_svg(svg).iter(f"{NAMESPACE}path")
        if path.get("class") == "measured"
    ]

    assert len(re.findall("M", line)) == 9


def test_failures_and_losses_are_counted_at_their_step(record, parsed_svg):
    failed = replace(record.steps[4], failures={"connect_refused": 31}, lost=2)

    shown = texts(replace(record, steps=(*record.steps[:4], failed)), parsed_svg)

    assert "✕ 33" in shown


def test_events_that_matter_are_named(record, parsed_svg):
    event = RunEvent(at=record.manifest.started_at + 50, kind="target_restarted", detail={})

    shown = texts(replace(record, events=(*record.events, event)), parsed_svg)

    assert "target restarted" in shown
    assert "finished" not in shown


def test_nothing_recorded_is_no_chart(partial_records):
    assert connections_figure(partial_records["nothing was recorded"]) is None


def test_every_partial_record_has_a_chart_or_none(partial_records, parsed_svg):
    for record in partial_records.values():
        figure = connections_figure(record)

        assert figure is None or parsed_svg(figure.svg).get("role") == "img"
