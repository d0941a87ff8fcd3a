import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.loadgen.web.resource_rows import MISSING, resource_rows

sample_of = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))["sample_of"]

EXAMPLE_PLAN = runpy.run_path(str(Path(__file__).parents[2] / "reporting" / "example_plan.py"))


def limit(resource, value=None, state=LimitState.KNOWN):
    return Limit(resource=resource, state=state, value=value, scope="host", source="/planted")


def sample(**used):
    return sample_of(used={Resource(name): value for name, value in used.items()})


def test_what_has_a_ceiling_is_ordered_by_it_and_the_bottleneck_is_first():
    plan = EXAMPLE_PLAN["make_plan"]()
    found, _others = resource_rows([], [], plan)

    assert len(plan.ladder) == len(found)
    assert [True, *[False] * (len(found) - 1)] == [row.is_bottleneck for row in found]
    assert all(row.ceiling != MISSING for row in found)


def test_before_a_forecast_the_fullest_is_first_and_nothing_is_promised():
    limits = [limit(Resource.DESCRIPTORS, 1000.0), limit(Resource.THREADS, 100.0)]
    found, others = resource_rows([sample(descriptors=100.0, threads=50.0)], limits, None)

    assert [] == found
    assert ["threads", "file descriptors"] == [row.name for row in others]
    assert {(MISSING, MISSING, "")} == {(row.cost, row.ceiling, row.interval) for row in others}


@pytest.mark.parametrize(
    ("used", "kind"),
    [(69.0, "ok"), (70.0, "near"), (89.9, "near"), (90.0, "full"), (120.0, "full")],
)
def test_a_bar_tells_by_its_kind_how_near_the_limit_is(used, kind):
    rows = resource_rows([sample(threads=used)], [limit(Resource.THREADS, 100.0)], None)[1]

    assert kind == rows[0].kind


def test_what_is_not_read_is_a_dash_and_what_has_no_limit_says_so():
    limits = [
        limit(Resource.MEMORY, state=LimitState.UNLIMITED),
        limit(Resource.THREADS, state=LimitState.UNKNOWN),
    ]
    rows = resource_rows([sample(descriptors=1.0)], limits, None)[1]

    assert {
        ("file descriptors", "1 descriptor", "no limit read", None),
        ("memory of the target", MISSING, "unlimited", None),
        ("threads", MISSING, "not readable", None),
    } == {(row.name, row.used, row.limit, row.ratio) for row in rows}


def test_a_ceiling_without_an_upper_end_is_a_lower_bound_without_noisy_digits():
    plan = EXAMPLE_PLAN["make_plan"]()
    open_ended = Estimate(low=614.0, mid=3.1e14, high=math.inf, confidence=0.9)
    wall = replace(plan.ladder[-1], ceiling=open_ended)
    rows = resource_rows([], [], replace(plan, ladder=(plan.ladder[0], wall)))[0]

    assert ("at least 614", "", MISSING) == (rows[1].ceiling, rows[1].interval, rows[1].cost)


def test_the_others_are_ordered_by_what_is_used_of_them():
    limits = [limit(Resource.THREADS, 100.0), limit(Resource.DESCRIPTORS, 1000.0)]
    used = sample(memory=5.0, threads=10.0, descriptors=0.0)
    rows = resource_rows([used], limits, None)[1]

    assert [0.1, 0.0, None] == [row.ratio for row in rows]
    assert ["ok"] * 3 == [row.kind for row in rows]
    assert not any(row.is_bottleneck for row in rows)
    assert {(MISSING, MISSING, "")} == {(row.cost, row.ceiling, row.interval) for row in rows}


@pytest.mark.parametrize(
    ("used", "kind"), [(69.9, "ok"), (70.0, "near"), (89.9, "near"), (90.0, "full")]
)
def test_seven_tenths_are_near_and_nine_are_full(used, kind):
    rows = resource_rows([sample(threads=used)], [limit(Resource.THREADS, 100.0)], None)[1]

    assert kind == rows[0].kind


def test_a_limit_of_nothing_has_no_share():
    rows = resource_rows([sample(threads=1.0)], [limit(Resource.THREADS, 0.0)], None)[1]

    assert [(None, "ok")] == [(row.ratio, row.kind) for row in rows]


def test_a_ceiling_has_its_cost_its_middle_and_its_interval():
    plan = EXAMPLE_PLAN["make_plan"]()
    found, _others = resource_rows([], [], plan)

    assert all(MISSING not in (row.cost, row.ceiling) and row.interval for row in found[:1])
    assert not any(row.ceiling.startswith("at least") for row in found[:1])
