import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.answers.sizing import Unanswered
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.planning.advice.other_hosts import host_walls
from capacity.planning.advice.push_or_poll import (
    DELIVERIES_PER_S,
    FRESHNESS_S,
    _against,
    _held,
    _Instance,
    _is_priced,
    _is_separated,
    _reply_s,
    break_even,
)

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


def loop_cost(**parts):
    [cost] = [wall.cost for wall in PLAN.ladder if wall.resource is Resource.EVENT_LOOP]
    return replace(cost, **{name: Estimate.exactly(value) for name, value in parts.items()})


@pytest.mark.parametrize(
    ("parts", "is_priced"),
    [
        ({}, True),
        ({"per_request_per_s": 0.0}, False),
        ({"per_connection": 0.0}, True),
        ({"per_delivery_per_s": 0.0}, True),
        ({"per_connection": 0.0, "per_delivery_per_s": 0.0}, False),
        ({"per_connection": 0.0, "per_delivery_per_s": 0.5, "per_request_per_s": 0.5}, True),
    ],
)
def test_a_price_has_a_request_and_something_that_is_pushed(parts, is_priced):
    assert _is_priced(loop_cost(**parts)) is is_priced


@pytest.mark.parametrize(
    ("resource", "separated", "is_separated"),
    [
        (Resource.EVENT_LOOP, ("connections", "deliveries_per_s", "requests_per_s"), True),
        (Resource.EVENT_LOOP, ("connections", "requests_per_s"), False),
        (Resource.DESCRIPTORS, ("connections", "requests_per_s"), True),
        (Resource.DESCRIPTORS, ("connections", "deliveries_per_s"), False),
    ],
)
def test_a_delivery_takes_no_counted_unit(resource, separated, is_separated):
    cost = replace(loop_cost(), resource=resource, separated=separated)

    assert _is_separated(cost) is is_separated


def test_who_fits_is_the_room_over_the_cost():
    wall = replace(host_walls(PLAN, PLAN.mix, None)[0], limit=110.0, baseline=10.0)

    assert (_held(wall, 0.5), _held(wall, 0.0)) == (200.0, float("inf"))
    assert _held(replace(wall, limit=9.0), 0.5) == 0.0


def test_the_last_reply_that_was_recorded_counts_by_its_middle():
    first, last = (
        replace(STEPS[3], request_latency=replace(STEPS[3].request_latency, p50_s=p50_s))
        for p50_s in (0.1, 0.2)
    )

    assert _reply_s([first, last, replace(last, request_latency=None)]) == 0.2
    assert _reply_s([replace(last, request_latency=None)]) == 0.0


def test_what_is_free_to_push_never_breaks_even():
    assert _against(loop_cost(per_connection=0.0, per_delivery_per_s=0.0), 2.0).interval_s is None
    assert _against(loop_cost(), 2.0).interval_s == pytest.approx(REQUEST / (IDLE + 2 * DELIVERY))


def test_the_table_has_these_rates_and_freshnesses():
    assert DELIVERIES_PER_S == (0.01, 0.1, 1.0, 10.0, 100.0)
    assert FRESHNESS_S == (0.5, 1.0, 5.0, 30.0, 300.0)


def test_updates_every_other_second_are_polled_for_every_other_second():
    slow = replace(PLAN, mix=replace(PLAN.mix, deliveries_per_s=0.5))

    assert break_even(slow, (), NO_ARRIVALS, None).premise.poll_interval_s == 2.0


def test_a_poller_holds_memory_for_as_long_as_its_connection_is_kept_alive():
    memory = next(wall.cost for wall in PLAN.ladder if wall.resource is Resource.MEMORY)
    instance = _Instance(walls=(), costs={}, arrival={})

    assert instance.poll(memory, 300.0) == pytest.approx(memory.per_connection.mid / 4)
    assert instance.poll(memory, 75.0) == memory.per_connection.mid
