import runpy
from dataclasses import replace
from pathlib import Path

import gevent
import pytest

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.loadgen.master.steps.forecasts import Forecasts

MOST = 60

EXAMPLE = runpy.run_path(str(Path(__file__).parents[3] / "reporting" / "example_run.py"))
EXAMPLE_PLAN = runpy.run_path(str(Path(__file__).parents[3] / "reporting" / "example_plan.py"))


@pytest.fixture(scope="module")
def record():
    return EXAMPLE["make_record"]()


def made_from(forecasts, record, steps, patience_s):
    for step in steps:
        forecasts.make(step, record)
    with gevent.Timeout(patience_s):
        while len(forecasts.made) < len(steps):
            gevent.sleep(0.01)
    return forecasts.made


def test_a_forecast_follows_each_step_in_their_order_and_nobody_waits(record, seconds):
    forecasts = Forecasts((), is_beside_load=False)
    loaded = [step for step in record.steps if step.connections_peak][:3]
    made = made_from(forecasts, record, loaded, seconds(60))

    assert [step.index for step in loaded] == [each.after_step for each in made]
    assert [step.connections_peak for step in loaded] == [each.connections for each in made]
    assert all(isinstance(each.answer, CapacityPlan | Excuse) for each in made)


def test_a_process_that_offers_load_itself_makes_no_plans_beside(record):
    forecasts = Forecasts((), is_beside_load=True)
    forecasts.make(record.steps[-1], record)
    gevent.sleep(0)

    assert not gevent.get_hub().threadpool.size or [] == forecasts.made
    assert [] == forecasts.made


def test_a_step_without_plateau_or_load_says_nothing_new(record):
    forecasts = Forecasts((), is_beside_load=False)
    forecasts.make(replace(record.steps[-1], plateau_ended_at=None), record)
    forecasts.make(replace(record.steps[-1], connections_peak=0), record)
    gevent.sleep(0.05)

    assert [] == forecasts.made


def test_a_plan_that_was_made_anyway_is_taken(record):
    forecasts = Forecasts((), is_beside_load=True)
    plan = EXAMPLE_PLAN["make_plan"]()
    forecasts.note(record.steps[-1], plan)
    forecasts.note(record.steps[-1], None)

    assert [(record.steps[-1].index, plan)] == [
        (each.after_step, each.answer) for each in forecasts.made
    ]


def test_the_newest_forecasts_are_kept_and_not_without_end(record):
    forecasts = Forecasts((), is_beside_load=True)
    plan = EXAMPLE_PLAN["make_plan"]()
    for n in range(MOST + 2):
        forecasts.note(replace(record.steps[-1], index=n), plan)

    assert list(range(2, MOST + 2)) == [each.after_step for each in forecasts.made]
