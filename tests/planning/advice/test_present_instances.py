import runpy
from dataclasses import replace
from pathlib import Path

from capacity.planning.advice.advice import advice
from capacity.planning.advice.present_instances import present_instances

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_demand.py")))
PLAN = EXAMPLE["make_plan"]()
RECORD = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
LARGE = EXAMPLE["make_host"](name="large", limits={"descriptors": 1e6}, price_per_month=1.0)
SMALL = EXAMPLE["make_host"]()


def found(hosts=(LARGE, SMALL), **changes):
    demand = EXAMPLE["make_demand"](**changes)
    return present_instances(replace(PLAN, advice=advice(RECORD, PLAN, demand, hosts)), demand)


def test_those_counted_are_like_the_host_measured():
    assert found(instances=14) == (14, PLAN.safe_capacity)


def test_those_of_a_type_that_the_demand_names_carry_what_it_carries():
    instances, safe = found(instances=14, host="large")

    assert instances == 14
    assert safe > PLAN.safe_capacity


def test_what_a_type_that_cannot_be_sized_carries_is_not_known():
    assert found((LARGE, replace(SMALL, memory_bytes=1e6)), instances=14, host="medium") == (14, 0)


def test_without_a_number_number_and_capacity_are_of_one_type():
    sizing = advice(RECORD, PLAN, EXAMPLE["make_demand"](), (LARGE, SMALL)).sizing
    large = next(host for host in sizing.hosts if host.host == "large")

    assert found(instances=None) == (large.instances, large.safe_connections)
    assert present_instances(PLAN, EXAMPLE["make_demand"](instances=None)) == (None, 0)
