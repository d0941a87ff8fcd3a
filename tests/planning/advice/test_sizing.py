import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.answers.sizing import Unanswered
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.planning.advice.sizing import AS_TESTED, _dearness, demand_when_needed, name_of, sized

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_demand.py")))
PLAN, HOST = EXAMPLE["make_plan"](), EXAMPLE["make_host"]()
make_demand, make_growth = EXAMPLE["make_demand"], EXAMPLE["make_growth"]
TUNED = replace(HOST, name="tuned", limits={Resource.DESCRIPTORS: 1e6}, price_per_month=110.0)
TINY = replace(HOST, name="tiny", memory_bytes=30e6, price_per_month=1.0)


def test_instances_as_tested_follow_from_safe_capacity_headroom_and_reserve():
    found = sized(PLAN, make_demand(), [])
    host = found.hosts[0]

    assert (host.host, host.safe_connections, host.usable_connections) == (
        AS_TESTED,
        19_208,
        15_366,
    )
    assert (host.instances, host.survivors, host.lost) == (8, 7, 1)  # 100,000 / 15,366 is 6.5
    assert host.connections_at_peak == pytest.approx(12_500.0)
    assert host.utilization_at_peak == pytest.approx(12_552.0 / 20_000.0)
    assert host.utilization_after_loss == pytest.approx((100_000 / 7 + 52) / 20_000.0)
    assert found.cheapest is None


def test_the_cheapest_type_comes_first():
    found = sized(PLAN, make_demand(), [HOST, TUNED])

    assert found.cheapest == "tuned"
    assert [host.host for host in found.hosts] == ["tuned", "medium"]
    assert found.hosts[0].binding is Resource.EVENT_LOOP
    assert [host.price_per_month for host in found.hosts] == [
        host.instances * price for host, price in zip(found.hosts, (110.0, 100.0), strict=True)
    ]


def test_a_type_without_a_price_is_sized_but_never_cheapest():
    free = replace(TUNED, name="free", price_per_month=None)
    found = sized(PLAN, make_demand(), [free, HOST])

    assert (found.cheapest, [host.host for host in found.hosts]) == ("medium", ["medium", "free"])
    assert sized(PLAN, make_demand(), [free]).cheapest is None


def test_a_type_too_small_for_the_target_is_told_with_its_numbers():
    found = sized(PLAN, make_demand(), [TINY, HOST])

    assert [host.host for host in found.hosts] == ["medium"]
    assert "38 MiB of 28.6 MiB (memory of the target)" in found.unsized["tiny"].reason


def test_a_tested_host_that_carries_nothing_is_no_answer():
    found = sized(replace(PLAN, safe_capacity=0), make_demand(), [])

    assert isinstance(found, Unanswered)


def test_a_mix_that_the_run_cannot_tell_about_is_no_answer():
    ladder = tuple(
        replace(wall, cost=replace(wall.cost, separated=("connections",))) for wall in PLAN.ladder
    )
    found = sized(replace(PLAN, ladder=ladder), make_demand(deliveries_per_s=9.0), [])

    assert isinstance(found, Unanswered)


def test_a_mix_that_costs_nothing_measurable_is_no_answer():
    loop = next(wall for wall in PLAN.ladder if wall.resource is Resource.EVENT_LOOP)
    free = replace(loop, cost=replace(loop.cost, per_connection=Estimate.exactly(0.0)))
    demand = make_demand(deliveries_per_s=0.0, requests_per_s=0.0)
    found = sized(replace(PLAN, ladder=(free,)), demand, [])

    assert isinstance(found, Unanswered)
    assert "None of 1 resources" in found.reason


def test_zones_are_filled_evenly():
    host = sized(PLAN, make_demand(lost_instances=0, zones=3, lost_zones=1), []).hosts[0]

    assert (host.instances, host.survivors) == (12, 8)


def test_growth_is_sized_for_by_its_upper_end():
    growing = make_demand(growth_per_month=make_growth(0.05, 0.02), size_for_at=EXAMPLE["JULY_AT"])
    found = sized(PLAN, growing, [])

    assert found.at == EXAMPLE["JULY_AT"]
    assert found.connections.mid == pytest.approx(100_000 * 1.05**5.947, rel=1e-3)
    assert found.connections.high == pytest.approx(100_000 * 1.07**5.947, rel=1e-3)
    assert found.hosts[0].connections_at_peak * found.hosts[0].instances == pytest.approx(
        found.connections.high
    )


def test_without_growth_the_peak_given_stays():
    assert demand_when_needed(make_demand(size_for_at=EXAMPLE["JULY_AT"])).high == 100_000.0


def test_the_tested_host_has_a_name_too():
    assert (name_of(None), name_of(HOST)) == ("as tested", "medium")


@given(
    connections=st.floats(1.0, 1e7),
    more=st.floats(1.0, 10.0),
    headroom=st.floats(0.0, 0.9),
    lost=st.integers(0, 4),
)
def test_more_demand_never_needs_fewer_instances(connections, more, headroom, lost):
    def instances(wanted):
        demand = make_demand(connections=wanted, headroom_ratio=headroom, lost_instances=lost)
        return [host.instances for host in sized(PLAN, demand, [HOST]).hosts]

    assert instances(connections * more) >= instances(connections)


@given(factor=st.floats(1.0, 50.0))
def test_more_memory_never_needs_more_instances(factor):
    small = replace(HOST, memory_bytes=200e6)
    large = replace(HOST, memory_bytes=200e6 * factor)

    def instances(host):
        return sized(PLAN, make_demand(), [host]).hosts[0].instances

    assert instances(large) <= instances(small)


def test_of_equal_prices_fewer_instances_come_first_and_then_the_less_used():
    def host(**changes):
        return replace(sized(PLAN, make_demand(), [HOST]).hosts[0], **changes)

    dear, many, full, free = (
        host(price_per_month=9.0),
        host(price_per_month=5.0, instances=9),
        host(price_per_month=5.0, instances=3, utilization_at_peak=0.9),
        host(price_per_month=None, instances=1),
    )
    idle = replace(full, utilization_at_peak=0.2)

    assert sorted([free, dear, many, full, idle], key=_dearness) == [idle, full, many, dear, free]


@pytest.mark.parametrize(("safe", "is_enough"), [(1, False), (2, True)])
def test_one_connection_after_headroom_is_the_least_an_instance_carries(safe, is_enough):
    found = sized(replace(PLAN, safe_capacity=safe), make_demand(headroom_ratio=0.5), [])

    assert is_enough == (not isinstance(found, Unanswered))
    assert is_enough or "safe capacity is 1 connection, and after 50 % headroom" in found.reason


def test_a_share_of_headroom_that_leaves_a_whole_number_leaves_it_all():
    assert (
        sized(replace(PLAN, safe_capacity=10), make_demand(headroom_ratio=0.9), [])
        .hosts[0]
        .usable_connections
        == 1
    )


def test_the_date_sized_for_is_that_of_the_peak_unless_another_is_given():
    assert sized(PLAN, make_demand(), []).at == EXAMPLE["NEW_YEAR_AT"]
    assert sized(PLAN, make_demand(), [HOST]).hosts[0].currency == "EUR"
    assert sized(PLAN, make_demand(), []).hosts[0].currency == ""
