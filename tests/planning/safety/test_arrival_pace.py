import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.plan import Excuse
from capacity.domain.resources import Resource
from capacity.planning.safety.arrival_pace import arrival_pace_per_s

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "advice" / "example_demand.py"))
PLAN = EXAMPLE["make_plan"]()


def loop_alone(plan):
    """Return the plan with the event loop as its only processor."""
    return replace(
        plan, ladder=tuple(wall for wall in plan.ladder if wall.resource is not Resource.CPU)
    )


def test_arrivals_take_the_fraction_of_the_loop_that_they_may():
    record = EXAMPLE["make_ramped_record"](0.010, 0.0)

    assert arrival_pace_per_s(record, loop_alone(PLAN), 0.25) == pytest.approx(25.0, rel=0.05)


def test_dearer_arrivals_come_more_slowly():
    cheap, dear = (
        arrival_pace_per_s(EXAMPLE["make_ramped_record"](cost_s, 0.0), PLAN, 0.25)
        for cost_s in (0.001, 0.004)
    )

    assert cheap == pytest.approx(4.0 * dear, rel=0.1)


@pytest.mark.parametrize(
    "answer",
    [
        Excuse(run="r", reason="r", remedy="m", generator=PLAN.generator, doubts=()),
        replace(PLAN, ladder=()),
    ],
    ids=["none", "no costs"],
)
def test_what_nobody_knows_bounds_nothing(answer):
    record = EXAMPLE["make_ramped_record"](0.010, 0.0)

    assert math.inf == arrival_pace_per_s(record, answer, 0.25)
