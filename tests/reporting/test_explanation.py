import json
import runpy
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from capacity.domain.resources import Resource
from capacity.reporting.explanation import explain, headline, numbers_of, render_json, sections

PLANTED = runpy.run_path(
    str(Path(__file__).parents[1] / "planning" / "comparison" / "planted_change.py")
)


@pytest.fixture(scope="module")
def run():
    return PLANTED["measured"](1, memory_limit=120e6)


def told(run, resource):
    (wall,) = [wall for wall in run.plan.ladder if wall.resource is resource]
    return explain(run.record, run.plan, wall)


def samples_of(record, step, resource):
    return [
        sample.used[resource]
        for sample in record.samples
        if step.plateau_started_at <= sample.at <= step.plateau_ended_at
    ]


def test_the_readings_are_those_of_the_samples(run):
    found = told(run, Resource.MEMORY)

    for reading in found.readings:
        step = run.record.steps[reading.step]
        samples = samples_of(run.record, step, Resource.MEMORY)
        assert reading.connections == step.load.connections
        # Windows that still warmed up are left out.
        assert reading.mean_use == pytest.approx(fmean(samples), rel=2e-3)
    assert len(found.readings) == len(run.record.steps)


def test_a_line_through_the_readings_gives_the_costs_and_the_ceiling(run):
    found = told(run, Resource.MEMORY)
    design = np.array(
        [[1.0, r.connections, r.deliveries_per_s, r.requests_per_s] for r in found.readings]
    )
    use = np.array([reading.mean_use for reading in found.readings])
    costs = np.linalg.lstsq(design, use, rcond=None)[0]
    marginal = (
        costs[1] + costs[2] * found.mix.deliveries_per_s + costs[3] * found.mix.requests_per_s
    )
    planted = PLANTED["Cost"](baseline=60e6, connection=60e3, delivery=500.0).ceiling(120e6)

    assert found.marginal == pytest.approx(marginal, rel=0.02)
    assert found.ceiling.mid == pytest.approx((120e6 - costs[0]) / marginal, rel=0.03)
    assert found.ceiling.mid == pytest.approx(planted, rel=0.03)


def test_the_arithmetic_is_the_ceiling_of_the_plan(run):
    found = told(run, Resource.MEMORY)

    assert found.room == found.limit.value - found.baseline
    assert found.quotient == found.room / found.marginal
    assert found.quotient == pytest.approx(found.ceiling.mid, rel=1e-9)


def test_a_counted_resource_is_rounded_to_the_last_connection_that_fits(run):
    found = told(run, Resource.DESCRIPTORS)

    assert found.ceiling.mid == int(found.quotient)
    assert any("last whole connection" in note for note in found.notes)


def test_text_shows_the_numbers_in_the_order_of_the_reckoning(run):
    found = told(run, Resource.DESCRIPTORS)
    limit, readings, fit, arithmetic, _notes = sections(found)

    assert limit.paragraphs == ("1,020 descriptors, read from process: /planted/descriptors",)
    assert len(readings.table.rows) == len(found.readings)
    assert fit.paragraphs[0].startswith("baseline 1")
    assert arithmetic.paragraphs[-2 if found.is_bottleneck else -1].startswith("ceiling: ")


def test_the_bottleneck_says_that_it_is_one(run):
    assert headline(told(run, run.plan.binding)).endswith(", the bottleneck")
    assert headline(told(run, run.plan.ladder[-1].resource)).endswith("not the bottleneck")


def test_a_ceiling_that_the_run_met_is_no_quotient(run):
    first = run.plan.ladder[0]
    met = replace(first, limit=replace(first.limit, scope="met"))
    found = explain(run.record, replace(run.plan, ladder=(met,)), met)

    assert "the run itself ran into this limit" in found.notes[0]


def test_a_share_by_chance_is_said(run):
    first = run.plan.ladder[0]
    lower = replace(first, ceiling=replace(first.ceiling, mid=first.ceiling.mid * 0.9))

    assert any(
        "share the connections by chance" in note
        for note in explain(run.record, replace(run.plan, ladder=(lower,)), lower).notes
    )


def test_json_holds_what_the_text_is_made_of(run):
    found = told(run, Resource.MEMORY)
    document = json.loads(render_json(found))["explanation"]

    assert document["quotient"] == found.quotient
    assert [each["mean_use"] for each in document["readings"]] == [
        each.mean_use for each in found.readings
    ]


def test_every_number_of_a_plan_has_its_wall(run):
    shown = dict(numbers_of(run.plan))

    assert shown[float(run.plan.safe_capacity)] is run.plan.ladder[0]
    assert all(wall.ceiling.mid in shown for wall in run.plan.ladder)
