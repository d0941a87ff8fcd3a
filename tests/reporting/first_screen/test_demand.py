from dataclasses import replace

import pytest

from capacity.planning.advice.advice import advice
from capacity.reporting.first_screen.demand import (
    NO_DEMAND,
    best_host,
    demand_per_instance,
    headroom,
)
from capacity.settings.demand import load_demand
from capacity.settings.hosts import load_hosts
from capacity.settings.locate import find


@pytest.fixture(scope="module")
def demand():
    return load_demand(find("demand", "example"))


@pytest.fixture(scope="module")
def hosts():
    return load_hosts(find("hosts", "example"))


def sized(record, plan, demand, hosts=()):
    return replace(plan, advice=advice(record, plan, demand, hosts))


def test_the_headroom_is_what_the_demand_leaves_of_the_safe_capacity(record, plan, demand):
    asked = sized(record, plan, replace(demand, connections=192_080.0, instances=20))

    assert demand_per_instance(asked) == 9_604.0
    assert headroom(asked) == (
        "50 % free: 192,080 connections (demand example) on 20 instances like the tested host,"
        " 9,600 each"
    )


def test_a_demand_beyond_the_safe_capacity_is_said_to_be_too_much(record, plan, demand):
    asked = sized(record, plan, replace(demand, connections=38_416.0, instances=1))
    far = sized(record, plan, replace(demand, connections=378_000_000.0, instances=1))

    assert headroom(asked).startswith("none: demand is 2 times what the instances carry safely:")
    assert headroom(far).startswith("none: demand is 19,679 times what")


def test_a_demand_that_is_just_met_leaves_nothing_free(record, plan, demand):
    met = sized(record, plan, replace(demand, connections=19_208.0, instances=1))
    beyond = sized(record, plan, replace(demand, connections=19_209.0, instances=1))

    assert headroom(met).startswith("0 % free")
    assert headroom(beyond).startswith("none: demand is < 1 % above what")


def test_the_headroom_is_that_of_the_host_type_that_the_demand_names(record, plan, demand, hosts):
    named = replace(demand, host="large-tuned", instances=14)
    asked = sized(record, plan, named, hosts)
    large = next(h for h in asked.advice.sizing.hosts if h.host == "large-tuned")
    free = 1.0 - 20_000 / 14 / large.safe_connections

    assert headroom(asked).startswith(f"{free:.0%}".replace("%", " %"))
    assert "14 instances of type large-tuned" in headroom(asked)
    assert demand_per_instance(asked) is None


def test_without_instances_the_headroom_of_one_is_not_known(record, plan, demand):
    asked = sized(record, plan, replace(demand, instances=None))

    assert demand_per_instance(asked) is None
    assert headroom(asked).endswith("instances in the demand file give the headroom of each")


def test_without_a_demand_it_says_how_to_give_one(record, plan):
    assert headroom(plan) == NO_DEMAND
    assert headroom(sized(record, plan, None)) == NO_DEMAND


def test_what_is_extrapolated_too_far_has_no_headroom(record, plan, demand):
    far = replace(plan, binding=plan.ladder[1].resource, extrapolation_ratio=40.0)

    assert headroom(sized(record, far, demand)).startswith("none to quote")


def test_the_best_host_is_the_cheapest_or_else_the_first(record, plan, demand, hosts):
    priced = sized(record, plan, demand, hosts).advice.sizing
    tested = sized(record, plan, demand).advice.sizing

    assert best_host(priced).host == priced.cheapest
    assert best_host(tested) == tested.hosts[0]
    assert best_host(replace(tested, hosts=())) is None
