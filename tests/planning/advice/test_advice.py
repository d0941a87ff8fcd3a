import runpy
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


def test_a_demand_that_cannot_be_sized_says_so_everywhere():
    tiny = EXAMPLE["make_host"](memory_bytes=1e6)
    found = advice(RECORD, PLAN, EXAMPLE["make_demand"](), [tiny])

    assert isinstance(found.storm, Unanswered)
    assert isinstance(found.exhaustion, Unanswered)
    assert found.break_even.host == "as tested"
