import runpy
from dataclasses import replace
from pathlib import Path

from capacity.domain.answers.sizing import Unanswered
from capacity.planning.advice.advice import advice

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_demand.py")))
PLAN, HOST = EXAMPLE["make_plan"](), EXAMPLE["make_host"]()
RECORD = EXAMPLE["make_ramped_record"](0.0008, 0.0002)


def test_without_a_demand_the_plan_alone_is_answered_for():
    found = advice(RECORD, PLAN)

    assert (found.sizing, found.storm, found.exhaustion) == (None, None, None)
    assert not isinstance(found.arrival_cost, Unanswered)
    assert found.break_even.host == "as tested"
    assert len(found.sensitivities) == len(PLAN.ladder)


def test_a_demand_is_answered_for_on_the_type_it_takes():
    demand = EXAMPLE["make_demand"](growth_per_month=EXAMPLE["make_growth"](0.05, 0.01))
    found = advice(RECORD, PLAN, demand, [HOST])

    assert found.sizing.cheapest == "medium"
    assert (found.storm.host, found.exhaustion.host, found.break_even.host) == ("medium",) * 3


def test_present_instances_are_those_measured_unless_the_demand_names_their_type():
    large = EXAMPLE["make_host"](name="large", limits={"descriptors": 1e6}, price_per_month=1.0)
    demand = EXAMPLE["make_demand"](
        growth_per_month=EXAMPLE["make_growth"](0.05, 0.01), instances=14
    )
    measured = advice(RECORD, PLAN, demand, [large, HOST])
    named = advice(RECORD, PLAN, replace(demand, host="medium"), [large, HOST])

    assert measured.sizing.cheapest == "large"
    assert measured.exhaustion.host == "as tested"
    assert measured.exhaustion.dates[1].connections.mid == 14 * PLAN.capacity.mid
    assert named.exhaustion.host == "medium"


def test_present_instances_of_a_type_that_is_too_small_are_not_taken_for_another():
    tiny = EXAMPLE["make_host"](name="tiny", memory_bytes=1e6)
    growth = EXAMPLE["make_growth"](0.05, 0.01)
    demand = EXAMPLE["make_demand"](growth_per_month=growth, instances=14, host="tiny")
    found = advice(RECORD, PLAN, demand, [tiny, HOST]).exhaustion

    assert found.host == "tiny"
    assert found.dates[1].early_at == demand.as_of_at


def test_a_demand_that_cannot_be_sized_says_so_everywhere():
    tiny = EXAMPLE["make_host"](memory_bytes=1e6)
    found = advice(RECORD, PLAN, EXAMPLE["make_demand"](), [tiny])

    assert isinstance(found.storm, Unanswered)
    assert isinstance(found.exhaustion, Unanswered)
    assert found.break_even.host == "as tested"
