"""How certain walls are on a host, or with a mix, that was not measured."""

import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.resources import Resource
from capacity.models.uncertainty.intervals import Form, form_sigma
from capacity.planning.advice.other_hosts import (
    _spread_along,
    cautious_use_at,
    host_walls,
    joint_ratio,
    mix_for,
    use_at,
)

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_demand.py")))
PLAN, HOST, GIB = EXAMPLE["make_plan"](), EXAMPLE["make_host"](), EXAMPLE["GIB"]


def by_resource(host, plan=PLAN, mix=None):
    return {wall.resource: wall for wall in host_walls(plan, mix or plan.mix, host)}


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


def test_cautious_use_meets_the_limit_at_the_lower_end_of_the_ceiling():
    wall = by_resource(None)[Resource.EVENT_LOOP]
    low = wall.ceiling * math.exp(-1.6449 * wall.sigma)

    assert cautious_use_at(wall, low) == pytest.approx(wall.limit, rel=1e-4)
    assert cautious_use_at(wall, low) > use_at(wall, low)


def widened(plan=PLAN, times=1.0):
    """Return the plan with its own mix, times as many deliveries, as the widest tested."""
    most = replace(plan.mix, deliveries_per_s=times * plan.mix.deliveries_per_s)
    return replace(plan, widest_mix=most)


def test_a_mix_outside_what_was_tested_is_less_certain():
    mix = mix_for(PLAN, 3.0 * PLAN.mix.deliveries_per_s, None)
    inside = by_resource(None, widened(times=3.0), mix)[Resource.EVENT_LOOP]
    outside = by_resource(None, widened(times=1.0), mix)[Resource.EVENT_LOOP]

    assert outside.ceiling == inside.ceiling
    assert outside.sigma > inside.sigma


def loop_of(plan):
    return next(wall for wall in plan.ladder if wall.resource is Resource.EVENT_LOOP)


def noise_of_fit(wall, form=Form.UTILIZATION):
    """Return σ of the fit alone, of a wall tested to 18,000 connections."""
    total = math.log(wall.ceiling.mid / wall.ceiling.low) / 1.6449
    return math.sqrt(total**2 - form_sigma(form, wall.ceiling.mid / 18_000) ** 2)


def test_the_scatter_of_the_fit_stays_and_the_form_errs_by_the_new_reach():
    moved = by_resource(replace(HOST, core_speed_ratio=4.0))[Resource.EVENT_LOOP]
    of_form = form_sigma(Form.UTILIZATION, moved.ceiling / 18_000)

    assert moved.ceiling == pytest.approx((4.0 - 0.02) / 2.8e-5)
    assert moved.sigma == pytest.approx(math.hypot(noise_of_fit(loop_of(PLAN)), of_form), rel=1e-3)


def test_a_part_of_which_more_comes_than_was_tested_is_carried_as_many_times_further():
    mix = mix_for(PLAN, 3.0 * PLAN.mix.deliveries_per_s, None)
    outside = by_resource(None, widened(times=1.5), mix)[Resource.EVENT_LOOP]
    of_form = form_sigma(Form.UTILIZATION, 2.0 * outside.ceiling / 18_000)

    assert outside.sigma == pytest.approx(
        math.hypot(noise_of_fit(loop_of(PLAN)), of_form), rel=1e-3
    )


def test_an_objective_errs_as_its_form_grows():
    loop = loop_of(PLAN)
    delay = replace(loop, resource=Resource.DELIVERY_DELAY)
    plan = replace(PLAN, ladder=(delay,))
    moved = by_resource(replace(HOST, limits={Resource.DELIVERY_DELAY: 3.0}), plan)
    now, then = (
        form_sigma(Form.LATENCY, ceiling / 18_000)
        for ceiling in (loop.ceiling.mid, moved[Resource.DELIVERY_DELAY].ceiling)
    )
    total = math.log(loop.ceiling.mid / loop.ceiling.low) / 1.6449

    assert moved[Resource.DELIVERY_DELAY].sigma == pytest.approx(total * then / now, rel=1e-3)


def test_what_was_counted_and_what_costs_nothing_has_no_scatter():
    free = replace(
        loop_of(PLAN), cost=replace(loop_of(PLAN).cost, per_connection=Estimate.exactly(0))
    )
    [wall] = host_walls(replace(PLAN, ladder=(free,)), mix_for(PLAN, 0.0, 0.0), None)

    assert by_resource(HOST)[Resource.DESCRIPTORS].sigma == 0.0
    assert (wall.ceiling, wall.sigma) == (math.inf, 0.0)


def test_parts_of_a_cost_err_together():
    def around(mid, high):
        return Estimate(low=0.0, mid=mid, high=high, confidence=0.9)

    cost = replace(
        loop_of(PLAN).cost,
        per_connection=around(1.0, 2.0),
        per_delivery_per_s=around(3.0, 5.0),
        per_request_per_s=around(4.0, 7.0),
        per_handshake_per_s=around(6.0, 9.0),
    )
    mix = LoadVector(
        connections=1.0,
        deliveries_per_s=2.0,
        delivered_bytes_per_s=0.0,
        requests_per_s=0.5,
        handshakes_per_s=0.25,
    )
    nothing = replace(cost, **dict.fromkeys(("per_connection", "per_delivery_per_s"), around(0, 1)))

    assert _spread_along(cost, mix) == pytest.approx(math.log(17.75 / 10.5) / 1.6449, rel=1e-4)
    assert _spread_along(nothing, replace(mix, requests_per_s=0.0, handshakes_per_s=0.0)) == 0.0


def test_where_no_connection_fits_nothing_is_known_of_how_walls_move_together():
    full = replace(loop_of(PLAN), limit=replace(loop_of(PLAN).limit, value=0.01))

    assert joint_ratio(replace(PLAN, ladder=(full,))) == 0.0
    assert joint_ratio(PLAN) == pytest.approx(PLAN.safe_capacity / 19_948)


def loop_with_ceiling(connections, low=None, **cost):
    """Return the plan of an event loop alone, with its limit moved to where so many fit."""
    loop = loop_of(PLAN)
    limit = replace(loop.limit, value=0.02 + connections * 2.8e-5)
    ceiling = replace(loop.ceiling, low=connections / 2 if low is None else low)
    return replace(
        PLAN,
        ladder=(replace(loop, limit=limit, ceiling=ceiling, cost=replace(loop.cost, **cost)),),
        safe_capacity=1,
    )


@pytest.mark.parametrize("ceiling", [0.0, 0.5, 2.0])
def test_less_than_one_connection_has_a_scatter_and_none_has_none(ceiling):
    plan = loop_with_ceiling(ceiling)
    [wall] = host_walls(plan, plan.mix, None)

    assert (wall.ceiling, wall.sigma > 0.0) == (pytest.approx(ceiling), ceiling > 0.0)
    assert (joint_ratio(plan) > 0.0) is (ceiling > 0.0)


def test_below_one_connection_a_lower_end_is_as_good_as_one():
    one, none, above = (
        host_walls(plan, PLAN.mix, None)[0].sigma
        for plan in (loop_with_ceiling(9e3, low) for low in (1.0, 0.0, 1.1))
    )

    assert one == none
    assert one**2 - above**2 == pytest.approx(
        (math.log(35_000) ** 2 - math.log(35_000 / 1.1) ** 2) / 1.6449**2, rel=1e-3
    )


def test_what_is_not_told_apart_is_carried_no_further():
    plan = loop_with_ceiling(35_000, separated=("connections",))
    mix = mix_for(plan, 3.0 * PLAN.mix.deliveries_per_s, None)
    [wall] = host_walls(widened(plan), mix, None)
    total = math.log(2.0) / 1.6449
    of_fit = total**2 - form_sigma(Form.UTILIZATION, 35_000 / 18_000) ** 2

    assert wall.sigma == pytest.approx(
        math.sqrt(of_fit + form_sigma(Form.UTILIZATION, wall.ceiling / 18_000) ** 2), rel=1e-3
    )


def test_a_count_that_is_sure_stays_so_whatever_else_its_cost_holds():
    [first, *_] = PLAN.ladder
    vague = Estimate(low=0.0, mid=1.0, high=3.0, confidence=0.9)
    counted = replace(first, cost=replace(first.cost, per_request_per_s=vague))
    plan = replace(PLAN, ladder=(counted,))

    assert host_walls(plan, mix_for(plan, None, 0.5), None)[0].sigma == 0.0
