import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.answers.sizing import Unanswered
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.planning.advice.other_hosts import cautious_use_at
from capacity.planning.advice.reconnect_storm import (
    connect_rates,
    sized_for,
    spread_and_wait_s,
    storm,
    window_with_s,
)
from capacity.planning.advice.sizing import sized

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_demand.py")))
PLAN, HOST = EXAMPLE["make_plan"](), EXAMPLE["make_host"]()
make_demand, make_arrival_cost = EXAMPLE["make_demand"], EXAMPLE["make_arrival_cost"]


def stormed(cost_s=0.001, hosts=(), **changes):
    demand = make_demand(**changes)
    return storm(sized(PLAN, demand, hosts), make_arrival_cost(cost_s), demand)


def test_the_window_is_what_the_load_leaves_of_the_event_loop():
    loss = stormed().cases[0]
    loop = next(
        wall
        for wall in sized(PLAN, make_demand(), []).hosts[0].walls
        if wall.resource is Resource.EVENT_LOOP
    )
    served = (1.0 - cautious_use_at(loop, 100_000 / 7)) / 0.001

    assert (loss.instances_up, loss.busiest) == (7, Resource.EVENT_LOOP)
    assert loss.arrivals == pytest.approx(100_000 / 7 - 100_000 / 8)
    assert loss.served_per_s == pytest.approx(served)
    assert loss.shortest_window_s == pytest.approx(loss.arrivals / served / 0.7)
    assert loss.overflows


def test_no_more_are_served_than_are_declared_to_be_admitted():
    demand = make_demand()
    cost = replace(make_arrival_cost(0.001), admitted_per_s=5.0)
    limited = storm(sized(PLAN, demand, ()), cost, demand).cases[0]
    generous = storm(sized(PLAN, demand, ()), replace(cost, admitted_per_s=1e6), demand).cases[0]

    assert (limited.busiest, limited.served_per_s) == (None, 5.0)
    assert limited.shortest_window_s == pytest.approx(limited.arrivals / 5.0 / 0.7)
    assert generous == stormed().cases[0]


def test_after_a_restart_everybody_comes_back_to_all_instances():
    restart = stormed().cases[-1]

    assert (restart.instances_up, restart.arrivals) == (8, 12_500.0)
    assert restart.shortest_window_s > stormed().cases[0].shortest_window_s


def test_without_losses_there_is_only_the_restart():
    assert [case.event for case in stormed(lost_instances=0).cases] == [
        "restart of the whole target"
    ]


def test_clients_that_dial_at_once_keep_the_target_down():
    at_once = stormed(cost_s=0.01, retry=EXAMPLE["AT_ONCE"], handshake_timeout_s=2.0)
    spreading = stormed(cost_s=0.01, reconnect_window_s=600.0)

    assert at_once.cases[-1].is_metastable
    assert not spreading.cases[-1].is_metastable


def test_a_narrow_window_takes_more_instances():
    wide, narrow = stormed(reconnect_window_s=60.0), stormed(reconnect_window_s=1.0)
    more = narrow.instances_for_window
    needed = stormed(reconnect_window_s=1e-9)

    assert wide.instances_for_window == 8
    assert more > 8
    assert needed.instances_for_window is None


def test_an_arrival_that_takes_all_there_is_fits_in_no_window():
    full = replace(PLAN, safe_capacity=35_000)
    demand = make_demand(headroom_ratio=0.0, connections=34_000.0, lost_instances=0)
    found = storm(
        sized(full, demand, [replace(HOST, limits={Resource.DESCRIPTORS: 1e6})]),
        make_arrival_cost(),
        demand,
    )

    assert found.cases[0].shortest_window_s is None
    assert found.cases[0].is_metastable


def test_what_is_missing_before_is_missing_here():
    refusal = Unanswered(reason="no", remedy="yes")
    demand = make_demand()
    tiny = replace(HOST, memory_bytes=1e6)

    assert storm(refusal, make_arrival_cost(), demand) is refusal
    assert storm(sized(PLAN, demand, []), refusal, demand) is refusal
    assert "None of 1 host types" in stormed(hosts=[tiny]).reason


def test_the_type_in_use_is_looked_at_rather_than_the_cheapest():
    other = replace(HOST, name="dear", price_per_month=900.0)
    demand = make_demand(host="dear")

    assert sized_for(sized(PLAN, demand, [HOST, other]), demand).host == "dear"
    assert sized_for(sized(PLAN, demand, [HOST, other]), make_demand()).host == "medium"


@given(window_s=st.floats(0.5, 60.0), wider=st.floats(1.0, 10.0))
def test_a_wider_window_never_needs_more_instances(window_s, wider):
    narrow = stormed(reconnect_window_s=window_s).instances_for_window
    wide = stormed(reconnect_window_s=window_s * wider).instances_for_window

    assert wide <= narrow


def test_clients_spread_over_their_window_or_their_first_wait_and_wait_half_of_their_last():
    retry = replace(EXAMPLE["SPREADING"], waits_s=((1.0, 4.0), (2.0, 10.0)))

    assert spread_and_wait_s(make_demand(retry=retry)) == (3.0, 6.0)
    assert spread_and_wait_s(make_demand(retry=retry, reconnect_window_s=9.0)) == (9.0, 6.0)


def test_each_processor_and_each_rate_of_admission_bounds_what_is_served():
    walls = sized(PLAN, make_demand(), []).hosts[0].walls
    loop = next(wall for wall in walls if wall.resource is Resource.EVENT_LOOP)
    admission = Estimate(low=30.0, mid=40.0, high=50.0, confidence=0.9)
    cost = replace(make_arrival_cost(0.001), admitted_per_s=70.0, admission_per_s=admission)

    assert connect_rates(walls, cost, 1000.0) == [
        (pytest.approx((1.0 - cautious_use_at(loop, 1000.0)) / 0.001), Resource.EVENT_LOOP),
        (70.0, None),
        (30.0, None),
    ]
    free = replace(cost.cpu_s[Resource.EVENT_LOOP], high=0.0)
    nothing = replace(cost, cpu_s={Resource.EVENT_LOOP: free}, admitted_per_s=None)
    assert connect_rates(walls, nothing, 1000.0) == [(30.0, None)]


@pytest.mark.parametrize(
    ("backlog", "overflows"), [(None, None), (12_500.0, False), (12_499.0, True)]
)
def test_more_arrivals_than_the_queue_holds_overflow_it(backlog, overflows):
    demand = make_demand()
    cost = replace(make_arrival_cost(0.001), backlog=backlog)
    restart = storm(sized(PLAN, demand, ()), cost, demand).cases[-1]

    assert restart.overflows is overflows
    assert restart.connections_after == 12_500.0
    assert restart.arrivals_per_s == pytest.approx(0.7 * restart.served_per_s)


def test_instances_are_looked_for_by_zones_up_to_a_hundred_times_as_many():
    zoned = {"lost_instances": 0, "zones": 3, "lost_zones": 1}
    found = stormed(reconnect_window_s=2.0, **zoned).instances_for_window
    demand = make_demand(reconnect_window_s=2.0, **zoned)
    host = sized(PLAN, demand, ()).hosts[0]
    windows = {
        count: window_with_s(count, host, make_arrival_cost(0.001), demand, 100_000.0)
        for count in (found - 3, found)
    }

    assert found % 3 == 0
    assert windows[found] <= 2.0 < windows[found - 3]
    last = window_with_s(1200, host, make_arrival_cost(0.001), demand, 100_000.0)
    assert stormed(reconnect_window_s=1.0001 * last, **zoned).instances_for_window == 1200
    assert stormed(reconnect_window_s=0.98 * last, **zoned).instances_for_window is None
    assert stormed(reconnect_window_s=2.0, lost_instances=0).instances_for_window is None
