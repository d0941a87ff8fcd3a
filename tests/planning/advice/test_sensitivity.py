import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.planning.advice.sensitivity import sensitivities

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_demand.py")))
PLAN = EXAMPLE["make_plan"]()


def test_only_the_wall_that_gives_out_first_moves_the_capacity():
    found = {one.resource: one for one in sensitivities(PLAN)}
    first = found[Resource.DESCRIPTORS]

    assert first.capacity_with_more_limit == pytest.approx(22_000 - 52)
    assert first.capacity_with_less_cost == pytest.approx(19_948 / 0.9)
    assert first.limit_elasticity == pytest.approx(20_000 / 19_948)
    assert found[Resource.MEMORY].capacity_with_more_limit == 19_948


def test_the_next_wall_ends_the_gain():
    near = EXAMPLE["make_plan"](memory=332e6)
    first = sensitivities(near)[0]

    assert first.resource is Resource.MEMORY
    assert first.capacity_with_more_limit == pytest.approx(19_948)


def test_a_limit_that_is_used_up_without_load_gains_by_any_more_of_it():
    [first, *_] = PLAN.ladder
    full = replace(first, cost=replace(first.cost, baseline=Estimate.exactly(first.limit.value)))
    [found] = sensitivities(replace(PLAN, ladder=(full,)))

    assert found.limit_elasticity == pytest.approx(1e9)
    assert found.capacity_with_less_cost == pytest.approx(first.ceiling.mid / 0.9)
