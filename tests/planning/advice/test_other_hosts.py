import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.planning.advice.other_hosts import (
    FRAME_BYTES,
    cautious_use_at,
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


def test_costs_known_badly_widen_another_mix():
    uncertain = tuple(
        replace(
            wall,
            cost=replace(
                wall.cost,
                per_delivery_per_s=Estimate(
                    low=0.0,
                    mid=wall.cost.per_delivery_per_s.mid,
                    high=2.0 * wall.cost.per_delivery_per_s.mid,
                    confidence=0.9,
                ),
            ),
        )
        for wall in PLAN.ladder
    )
    mix = mix_for(PLAN, 200.0, None)

    sure = by_resource(None, mix=mix)[Resource.EVENT_LOOP].sigma
    unsure = by_resource(None, replace(PLAN, ladder=uncertain), mix)[Resource.EVENT_LOOP].sigma

    assert unsure > 2 * sure


def test_a_farther_ceiling_is_known_less_well():
    near = by_resource(None)[Resource.EVENT_LOOP].sigma
    far = by_resource(replace(HOST, core_speed_ratio=4.0))[Resource.EVENT_LOOP].sigma

    assert far > near


def test_use_is_that_of_the_line():
    wall = by_resource(None)[Resource.DESCRIPTORS]

    assert use_at(wall, 1_000.0) == pytest.approx(1_052.0)
    assert use_at(wall, wall.ceiling) == pytest.approx(wall.limit)


def test_cautious_use_meets_the_limit_at_the_lower_end_of_the_ceiling():
    wall = by_resource(None)[Resource.EVENT_LOOP]
    low = wall.ceiling * math.exp(-1.6449 * wall.sigma)

    assert cautious_use_at(wall, low) == pytest.approx(wall.limit, rel=1e-4)
    assert cautious_use_at(wall, low) > use_at(wall, low)


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


@pytest.mark.parametrize(("asked", "is_refused"), [(3.9, False), (4.1, True)])
def test_a_mix_far_outside_what_was_tested_is_refused(asked, is_refused):
    mix = mix_for(PLAN, asked * PLAN.mix.deliveries_per_s, None)
    refusal = why_not_transferable(widened(), mix)

    assert (refusal is not None) == is_refused
    assert refusal is None or "deliveries/s per connection, but at most" in refusal.reason


def test_a_mix_outside_what_was_tested_is_less_certain():
    mix = mix_for(PLAN, 3.0 * PLAN.mix.deliveries_per_s, None)
    inside = by_resource(None, widened(times=3.0), mix)[Resource.EVENT_LOOP]
    outside = by_resource(None, widened(times=1.0), mix)[Resource.EVENT_LOOP]

    assert outside.ceiling == inside.ceiling
    assert outside.sigma > inside.sigma
