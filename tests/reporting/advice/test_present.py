import runpy
from pathlib import Path

from capacity.domain.answers.sizing import Exhaustion
from capacity.domain.estimates import Estimate
from capacity.reporting.advice.present import instances_in_words, is_already, month

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
)
COUNTED = EXAMPLE["make_demand"](instances=14)
AS_OF_AT = COUNTED.as_of_at


def found(host="as tested"):
    growth = Estimate.exactly(0.05)
    return Exhaustion(demand="d", host=host, instances=14, growth_per_month=growth, dates=())


def test_instances_are_named_by_their_type():
    assert instances_in_words(found(), COUNTED) == "14 present instances like the tested host"
    assert instances_in_words(found("large"), COUNTED) == "14 present instances of type large"


def test_instances_that_nobody_counted_are_those_of_the_sizing():
    assert instances_in_words(found("large"), EXAMPLE["make_demand"](instances=None)) == (
        "14 instances of type large, as sized for the demand"
    )


def test_a_plan_that_did_not_keep_its_demand_tells_a_date_as_a_date():
    assert not is_already(AS_OF_AT, None)
    assert month(AS_OF_AT, None) == "2026-01"


def test_nothing_is_left_on_the_day_of_the_demand_and_something_just_after():
    assert is_already(AS_OF_AT, COUNTED)
    assert not is_already(AS_OF_AT + 1.0, COUNTED)
    assert [month(at, COUNTED) for at in (None, AS_OF_AT)] == ["later", "already"]
