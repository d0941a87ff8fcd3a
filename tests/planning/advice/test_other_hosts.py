import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.resources import Resource
from capacity.planning.advice.other_hosts import (
    FRAME_BYTES,
    _beyond_tested,
    _differs,
    host_walls,
    mix_for,
    safe_connections,
    use_at,
    why_not_transferable,
)

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_demand.py")))
PLAN, HOST, GIB = EXAMPLE["make_plan"](), EXAMPLE["make_host"](), EXAMPLE["GIB"]


def by_resource(host, plan=PLAN, mix=None):
    return {wall.resource: wall for wall in host_walls(plan, mix or plan.mix, host)}


def test_on_the_tested_host_the_walls_are_those_of_the_plan():
    found = host_walls(PLAN, PLAN.mix, None)

    assert [wall.resource for wall in found] == [wall.resource for wall in PLAN.ladder]
    assert [wall.ceiling for wall in found] == pytest.approx(
        [wall.ceiling.mid for wall in PLAN.ladder]
    )
    assert safe_connections(PLAN, found) == PLAN.safe_capacity


def test_memory_grows_with_the_host_and_counted_limits_do_not():
    found = by_resource(HOST)

    assert found[Resource.MEMORY].limit == 8 * GIB
    assert found[Resource.MEMORY].ceiling == pytest.approx((8 * GIB - 38 * 1024**2) / 15_400.0)
    assert found[Resource.DESCRIPTORS].limit == 20_000.0


def test_an_event_loop_gains_from_faster_cores_and_not_from_more():
    many = by_resource(replace(HOST, cores=64.0))
    fast = by_resource(replace(HOST, core_speed_ratio=1.5))

    assert many[Resource.EVENT_LOOP].limit == 1.0
    assert fast[Resource.EVENT_LOOP].limit == 1.5


def plan_with_cpu():
    loop = next(wall for wall in PLAN.ladder if wall.resource is Resource.EVENT_LOOP)
    cpu = replace(
        loop,
        resource=Resource.CPU,
        limit=replace(loop.limit, resource=Resource.CPU, value=2.0),
        cost=replace(loop.cost, resource=Resource.CPU),
    )
    return replace(PLAN, ladder=(*PLAN.ladder, cpu)), cpu


def test_cpu_grows_with_cores_where_the_event_loop_tells_who_uses_them():
    plan, cpu = plan_with_cpu()
    blind = replace(plan, ladder=(cpu,))

    assert by_resource(HOST, plan)[Resource.CPU].limit == 4.0
    assert by_resource(HOST, blind)[Resource.CPU].limit == 2.0
    assert by_resource(replace(HOST, cores=1.0), blind)[Resource.CPU].limit == 1.0


def test_the_catalogue_has_the_last_word_on_a_limit():
    found = by_resource(replace(HOST, limits={Resource.DESCRIPTORS: 1_000_000.0}))

    assert (found[Resource.DESCRIPTORS].limit, found[Resource.DESCRIPTORS].origin) == (
        1_000_000.0,
        "as given",
    )


def test_a_network_that_was_not_measured_follows_from_the_delivered_bytes():
    found = by_resource(replace(HOST, network_bytes_per_s=1e6))

    network = found[Resource.NETWORK_OUT]

    # WebSocket 4, TCP 32, IPv4 20, Ethernet 18.
    assert 4 + 32 + 20 + 18 == FRAME_BYTES
    assert network.ceiling == pytest.approx(1e6 / (420.0 + 2.0 * FRAME_BYTES))
    assert network.baseline == 0.0


def test_a_network_without_deliveries_is_no_wall():
    idle = mix_for(PLAN, 0.0, None)

    assert Resource.NETWORK_OUT not in by_resource(replace(HOST, network_bytes_per_s=1e6), mix=idle)


def test_another_mix_brings_its_bytes_and_its_costs():
    mix = mix_for(PLAN, 20.0, 0.5)
    found = by_resource(None, mix=mix)

    assert (mix.deliveries_per_s, mix.delivered_bytes_per_s, mix.requests_per_s) == (20, 4200, 0.5)
    assert found[Resource.EVENT_LOOP].marginal == pytest.approx(2e-6 + 20 * 1.2e-5 + 0.5 * 2e-4)


def test_another_mix_needs_costs_that_were_told_apart():
    joined = tuple(
        replace(wall, cost=replace(wall.cost, separated=("connections",))) for wall in PLAN.ladder
    )
    plan = replace(PLAN, ladder=joined)
    refusal = why_not_transferable(plan, mix_for(plan, 20.0, None))

    assert why_not_transferable(plan, plan.mix) is None
    assert why_not_transferable(PLAN, mix_for(PLAN, 20.0, 0.5)) is None
    assert "the cost of deliveries in memory of the target" in refusal.reason


def test_use_is_that_of_the_line():
    wall = by_resource(None)[Resource.DESCRIPTORS]

    assert use_at(wall, 1_000.0) == pytest.approx(1_052.0)
    assert use_at(wall, wall.ceiling) == pytest.approx(wall.limit)


def test_nothing_is_safe_where_the_plan_knows_nothing_safe():
    assert safe_connections(replace(PLAN, safe_capacity=0), host_walls(PLAN, PLAN.mix, HOST)) == 0


def test_no_ceiling_is_passed():
    generous = replace(PLAN, safe_capacity=25_000)

    assert safe_connections(generous, host_walls(generous, PLAN.mix, None)) == 19_948


@given(
    resource=st.sampled_from([wall.resource for wall in PLAN.ladder]),
    value=st.floats(0.1, 1e12),
    factor=st.floats(1.0, 100.0),
)
def test_a_higher_limit_never_lowers_the_capacity(resource, value, factor):
    def safe(limit):
        return safe_connections(
            PLAN, host_walls(PLAN, PLAN.mix, replace(HOST, limits={resource: limit}))
        )

    assert safe(value * factor) >= safe(value)


def widened(plan=PLAN, times=1.0):
    """Return the plan with its own mix, times as many deliveries, as the widest tested."""
    most = replace(plan.mix, deliveries_per_s=times * plan.mix.deliveries_per_s)
    return replace(plan, widest_mix=most)


@pytest.mark.parametrize(("asked", "is_refused"), [(3.9, False), (4.0, False), (4.1, True)])
def test_a_mix_far_outside_what_was_tested_is_refused(asked, is_refused):
    mix = mix_for(PLAN, asked * PLAN.mix.deliveries_per_s, None)
    refusal = why_not_transferable(widened(), mix)

    assert (refusal is not None) == is_refused
    assert refusal is None or "deliveries/s per connection, but at most" in refusal.reason


def loop_of(plan):
    return next(wall for wall in plan.ladder if wall.resource is Resource.EVENT_LOOP)


@pytest.mark.parametrize(
    ("wanted", "tested", "times"),
    [(6.0, 2.0, 3.0), (1.0, 2.0, 1.0), (0.0, 0.0, 1.0), (1.0, 0.0, math.inf), (6.0, None, 1.0)],
)
def test_how_far_a_mix_lies_beyond_what_was_tested(wanted, tested, times):
    widest = None if tested is None else replace(PLAN.mix, deliveries_per_s=tested)
    plan = replace(PLAN, widest_mix=widest)

    assert _beyond_tested(plan, mix_for(PLAN, wanted, None), "deliveries_per_s") == times


@pytest.mark.parametrize(("off", "differs"), [(9e-7, False), (1.1e-6, True)])
def test_mixes_are_told_apart_from_a_millionth_on(off, differs):
    mix = mix_for(PLAN, (1.0 + off) * PLAN.mix.deliveries_per_s, None)

    assert _differs(PLAN, mix, "deliveries_per_s") is differs


def test_without_measured_updates_theirs_are_as_large_as_what_came():
    plan = replace(PLAN, mix=replace(PLAN.mix, deliveries_per_s=0.0, delivered_bytes_per_s=100.0))

    assert mix_for(plan, 3.0, None).delivered_bytes_per_s == 300.0


def test_requests_that_a_counted_cost_does_not_tell_apart_are_refused_and_deliveries_are_not():
    ladder = tuple(
        replace(wall, cost=replace(wall.cost, separated=("connections",)))
        for wall in PLAN.ladder
        if wall.resource is Resource.DESCRIPTORS
    )
    plan = replace(PLAN, ladder=ladder)

    assert why_not_transferable(plan, mix_for(plan, 3.0, None)) is None
    assert (
        "requests in file descriptors"
        in why_not_transferable(plan, mix_for(plan, None, 0.5)).reason
    )


def test_faster_cores_are_worth_as_many_more():
    plan, _ = plan_with_cpu()

    assert by_resource(replace(HOST, core_speed_ratio=1.5), plan)[Resource.CPU].limit == 6.0


def test_a_network_that_was_measured_is_one_wall_with_the_bandwidth_of_the_type():
    measured = replace(loop_of(PLAN), resource=Resource.NETWORK_OUT)
    plan = replace(PLAN, ladder=(*PLAN.ladder, measured))
    found = [
        wall.limit
        for wall in host_walls(plan, plan.mix, replace(HOST, network_bytes_per_s=5e6))
        if wall.resource is Resource.NETWORK_OUT
    ]

    assert found == [5e6]
    assert by_resource(HOST, plan)[Resource.NETWORK_OUT].limit == 1.0
    assert by_resource(replace(HOST, network_bytes_per_s=5e6))[Resource.NETWORK_OUT].sigma == 0.0


def test_a_trickle_of_deliveries_fills_a_network_too():
    trickle = mix_for(PLAN, 0.001, None)
    found = by_resource(replace(HOST, network_bytes_per_s=1e6), mix=trickle)

    assert found[Resource.NETWORK_OUT].ceiling == pytest.approx(1e6 / (0.21 + 0.001 * 74))
