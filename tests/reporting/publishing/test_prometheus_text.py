import math
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from capacity.domain.estimates import Estimate
from capacity.reporting.publishing.prometheus_text import render


def samples(about):
    return {
        (sample.name, sample.labels.get("resource")): sample
        for family in text_string_to_metric_families(render(about))
        for sample in family.samples
    }


def test_another_reader_finds_the_numbers_of_the_plan(about):
    found = samples(about)

    assert found["capacity_plan_safe_connections", None].value == 19_208
    assert found["capacity_plan_target_connections", None].value == 14_406
    assert found["capacity_plan_mid_connections", None].value == 19_948.0
    assert found["capacity_plan_measured_timestamp_seconds", None].value == 1_767_225_600.0
    assert found["capacity_plan_caveats", None].value == 1
    assert found["capacity_plan_trustworthy", None].value == 1
    assert found["capacity_plan_info", None].labels["bottleneck"] == "descriptors"


def test_ceilings_and_costs_are_by_resource_and_one_unit_a_metric(about):
    found = samples(about)
    wall = about.plan.ladder[1]

    assert found["capacity_plan_ceiling_connections", "memory"].value == wall.ceiling.mid
    assert found["capacity_plan_connection_cost_bytes", "memory"].value == 14_200 + 2 * 600
    assert found["capacity_plan_connection_cost_units", "descriptors"].value == 1.0
    assert ("capacity_plan_connection_cost_cores", "event_loop") in found


def test_a_ceiling_without_an_end_is_infinite(about):
    first, *rest = about.plan.ladder
    endless = replace(
        first, ceiling=Estimate(low=700.0, mid=math.inf, high=math.inf, confidence=0.9)
    )
    plan = replace(about.plan, ladder=(endless, *rest))
    found = samples(replace(about, plan=plan))

    assert found["capacity_plan_ceiling_connections", "descriptors"].value == math.inf


def test_promtool_finds_nothing_to_say(about, promtool):
    assert promtool("check", "metrics", text=render(about)) == ""


def test_a_plan_that_is_not_to_be_believed_says_so(about):
    spoiled = replace(about.plan.generator, is_trustworthy=False)
    found = samples(replace(about, plan=replace(about.plan, generator=spoiled)))

    assert found["capacity_plan_trustworthy", None].value == 0
