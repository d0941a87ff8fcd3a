import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.answers.sizing import Unanswered
from capacity.domain.resources import Resource
from capacity.planning.advice.push_or_poll import DELIVERIES_PER_S, FRESHNESS_S, break_even

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_demand.py")))
PLAN, HOST = EXAMPLE["make_plan"](), EXAMPLE["make_host"]()
STEPS = EXAMPLE["EXAMPLE"]["make_record"]().steps
NO_ARRIVALS = Unanswered(reason="none", remedy="none")
REPLY_S = 0.0042
# Of the event loop, as planted: an idle connection, a delivery, a request.
IDLE, DELIVERY, REQUEST = 2e-6, 1.2e-5, 2e-4


def trade(found, deliveries_per_s, freshness_s):
    return next(
        each
        for each in found.trades
        if (each.deliveries_per_s, each.freshness_s) == (deliveries_per_s, freshness_s)
    )


def test_the_break_even_interval_follows_from_the_planted_costs():
    [loop] = break_even(PLAN, STEPS, NO_ARRIVALS, None).resources

    assert loop.resource is Resource.EVENT_LOOP
    assert loop.interval_s == pytest.approx(REQUEST / (IDLE + 2.0 * DELIVERY))


def test_many_updates_fill_the_loop_and_few_the_descriptors():
    found = break_even(PLAN, STEPS, NO_ARRIVALS, None)
    busy, quiet = trade(found, 100.0, 1.0), trade(found, 0.01, 1.0)

    assert (busy.push_binding, quiet.push_binding) == (Resource.EVENT_LOOP, Resource.DESCRIPTORS)
    assert busy.push_clients == pytest.approx(0.98 / (IDLE + 100.0 * DELIVERY))
    assert quiet.push_clients == pytest.approx(19_948.0)


def test_polls_come_as_often_as_the_freshness_takes():
    found = trade(break_even(PLAN, STEPS, NO_ARRIVALS, None), 1.0, 1.0)

    assert found.poll_interval_s == pytest.approx((1.0 - REPLY_S) / 0.95)
    assert found.poll_clients == pytest.approx(0.98 / REQUEST * found.poll_interval_s)
    assert found.poll_binding is Resource.EVENT_LOOP


def test_a_poller_of_every_five_seconds_holds_a_descriptor_all_the_time():
    found = trade(break_even(PLAN, STEPS, NO_ARRIVALS, None), 1.0, 30.0)

    assert (found.poll_clients, found.poll_binding) == (
        pytest.approx(19_948.0),
        Resource.DESCRIPTORS,
    )


def test_a_poller_of_every_five_minutes_connects_each_time():
    plan = EXAMPLE["make_plan"](descriptors=1e6, memory=1e12)
    free = trade(break_even(plan, STEPS, NO_ARRIVALS, None), 1.0, 300.0)
    paid = trade(break_even(plan, STEPS, EXAMPLE["make_arrival_cost"](0.01), None), 1.0, 300.0)

    assert paid.poll_clients == pytest.approx(0.98 / (REQUEST + 0.009) * paid.poll_interval_s)
    assert paid.poll_clients < free.poll_clients


def test_the_premise_compares_the_same_updates():
    premise = break_even(PLAN, STEPS, NO_ARRIVALS, None).premise

    assert premise.poll_interval_s == pytest.approx(0.5)
    assert (premise.push_binding, premise.poll_binding) == (
        Resource.DESCRIPTORS,
        Resource.EVENT_LOOP,
    )


def test_every_rate_meets_every_freshness():
    found = break_even(PLAN, STEPS, NO_ARRIVALS, HOST)

    assert len(found.trades) == len(DELIVERIES_PER_S) * len(FRESHNESS_S)
    assert (found.host, found.price_per_month, found.currency) == ("medium", 100.0, "EUR")
    assert found.left_out == ()


def test_costs_that_were_not_told_apart_give_no_answer():
    joined = tuple(
        replace(wall, cost=replace(wall.cost, separated=("connections", "deliveries_per_s")))
        for wall in PLAN.ladder
    )
    found = break_even(replace(PLAN, ladder=joined), STEPS, NO_ARRIVALS, None)

    assert isinstance(found, Unanswered)
    assert "condition number 6.2" in found.reason


def test_a_wall_that_was_not_told_apart_is_left_out_and_named():
    ladder = tuple(
        replace(wall, cost=replace(wall.cost, separated=("connections",)))
        if wall.resource is Resource.MEMORY
        else wall
        for wall in PLAN.ladder
    )
    found = break_even(replace(PLAN, ladder=ladder), STEPS, NO_ARRIVALS, None)

    assert found.left_out == (Resource.MEMORY,)


def test_without_deliveries_in_the_mix_there_is_nothing_to_poll_for():
    idle = replace(PLAN, mix=replace(PLAN.mix, deliveries_per_s=0.0))
    premise = break_even(idle, (), NO_ARRIVALS, None).premise

    assert (premise.poll_clients, premise.poll_interval_s) == (None, None)
