import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.domain.estimates import Estimate
from capacity.domain.histogram import Histogram, bucket_of
from capacity.domain.load import LoadStep
from capacity.domain.plan import CapacityPlan
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.target import TargetSpec
from capacity.planning.bottlenecks.latency_objectives import (
    LatencyUse,
    _tells,
    latency_ceilings,
    latency_cost,
    latency_uses,
    why_no_latency,
)
from capacity.planning.plan import plan

DELAY = Resource.DELIVERY_DELAY
BASE_S, SLOPE_S = 0.001, 20e-6
"""Median delay without load, and what a connection adds to it; delays are exponential beyond."""
TAIL = -math.log(0.05)
LEVELS = (25, 50, 75, 100, 125, 150, 175, 200)


def steps(levels=LEVELS):
    return [
        LoadStep(
            connections=level,
            subscriptions_per_connection=2,
            requests_per_s=0.0,
            connects_per_s=100.0,
            ramp_timeout_s=60.0,
            settle_s=3.0,
            plateau_s=8.0,
            is_mix=level > 0,
        )
        for level in (0, *levels)
    ]


def delays(connections, *, seed, count=4000):
    random = np.random.default_rng(seed)
    values_s = (BASE_S + SLOPE_S * connections) * random.standard_exponential(count)
    return Histogram(Counter(bucket_of(round(value * 1e6)) for value in values_s))


def slow(venue, *, limit_s, levels=LEVELS, quantile=0.95, seed=1):
    """Return a run whose 95th percentile is TAIL · (BASE + SLOPE · connections)."""
    record = replace(venue, steps=steps(levels)).record()
    slo = {DELAY.value: {"quantile": quantile, "limit_s": limit_s}}
    return replace(
        record,
        manifest=replace(record.manifest, target=TargetSpec.from_document({"slo": slo})),
        histograms={
            (step.index, DELAY.value): delays(step.step.connections, seed=seed + step.index)
            for step in record.steps
        },
    )


def truth(limit_s):
    return (limit_s / TAIL - BASE_S) / SLOPE_S


def wall(planned, resource=DELAY):
    return next(wall for wall in planned.ladder if wall.resource is resource)


@pytest.mark.parametrize("seed", [10, 20, 30])
@pytest.mark.parametrize("reach", [2.0, 4.0])
def test_a_planted_delay_meets_its_objective_where_it_was_planted(venue, seed, reach):
    limit_s = TAIL * (BASE_S + SLOPE_S * 200 * reach)
    planned = plan(slow(venue, limit_s=limit_s, seed=seed))
    found = wall(planned).ceiling

    assert pytest.approx(truth(limit_s), rel=0.12) == found.mid
    assert found.low <= truth(limit_s) <= found.high


def test_a_strict_objective_is_the_binding_wall(venue):
    planned = plan(slow(venue, limit_s=0.02))

    assert planned.binding is DELAY
    assert "slo.delivery_delay" in planned.ladder[0].limit.source
    assert planned.capacity.mid == pytest.approx(wall(planned).ceiling.mid, rel=0.05)


def test_a_run_without_objectives_has_the_plan_that_it_had(venue):
    record = slow(venue, limit_s=1.0)
    without = replace(record, manifest=replace(record.manifest, target=TargetSpec()), histograms={})
    with_slack = plan(slow(venue, limit_s=30.0))
    planned = plan(without)

    assert isinstance(planned, CapacityPlan)
    assert DELAY not in {wall.resource for wall in planned.ladder}
    assert DELAY not in {item.resource for item in planned.no_ceiling}
    assert {w.resource: w.ceiling for w in planned.ladder} == {
        w.resource: w.ceiling for w in with_slack.ladder if w.resource is not DELAY
    }


def test_an_objective_missed_on_a_plateau_caps_the_ceiling_there(venue):
    limit_s = TAIL * (BASE_S + SLOPE_S * 110)
    found = wall(plan(slow(venue, limit_s=limit_s))).ceiling

    assert 100 <= found.low <= found.mid <= found.high <= 125


def test_two_levels_are_no_ceiling_but_a_reason(venue):
    planned = plan(slow(venue, limit_s=0.5, levels=(50, 100)))
    reason = next(item.reason for item in planned.no_ceiling if item.resource is DELAY)

    assert "2 levels" in reason


def test_a_void_step_and_one_with_too_few_values_are_left_out(venue):
    record = slow(venue, limit_s=0.5)
    last, before = record.steps[-1], record.steps[-2]
    record = replace(
        record,
        steps=(*record.steps[:-1], replace(last, void="generator saturated")),
        histograms={
            **record.histograms,
            (before.index, DELAY.value): delays(before.step.connections, seed=1, count=10),
        },
    )
    (use,) = latency_uses(record, {step.index for step in record.steps})

    assert LEVELS[:-2] == use.connections


def test_the_same_run_gives_the_same_plan_in_any_order_of_steps(venue):
    record = slow(venue, limit_s=0.05)
    turned = replace(record, steps=tuple(reversed(record.steps)))

    assert plan(record).capacity == plan(turned).capacity


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(limits=st.tuples(st.floats(1e-4, 10.0), st.floats(1e-4, 10.0)))
def test_a_looser_objective_never_lowers_the_capacity(venue, limits):
    tight, loose = (plan(slow(venue, limit_s=limit_s)).capacity.mid for limit_s in sorted(limits))

    assert tight <= loose


def use_of(connections, tails_s, limit_s=1.0):
    limit = Limit(
        resource=DELAY, state=LimitState.KNOWN, value=limit_s, scope="declared", source="slo"
    )
    return LatencyUse(
        limit=limit,
        steps=tuple(range(len(connections))),
        connections=tuple(connections),
        medians_s=tuple(tail / 2 for tail in tails_s),
        tails_s=tuple(tails_s),
    )


@pytest.mark.parametrize(
    ("count", "quantile", "tells"),
    [(100, 0.99, True), (99, 0.99, False), (20, 0.95, True), (19, 0.95, False), (1, 0.0, True)],
)
def test_one_value_has_to_lie_beyond_the_quantile(count, quantile, tells):
    assert _tells(Histogram(Counter({5: count})), quantile) is tells


def test_the_cost_is_the_line_from_the_tail_without_load_to_the_objective_at_its_ceiling():
    """Tails of 0.1 + 0.002·n meet 1 s at 450; the line to 300 is off by what it rises faster."""
    use = use_of((50.0, 100.0, 150.0), (0.2, 0.3, 0.4))
    cost = latency_cost(use, Estimate(low=200.0, mid=300.0, high=450.0, confidence=0.9))
    slopes = cost.per_connection

    assert cost.baseline.mid == pytest.approx(0.1, abs=1e-6)
    assert (slopes.low, slopes.mid, slopes.high) == pytest.approx((0.002, 0.003, 0.0045), rel=1e-4)
    assert cost.residual_ratio == pytest.approx(
        math.sqrt((0.05**2 + 0.1**2 + 0.15**2) / 3) / 0.3, rel=1e-4
    )
    assert (cost.windows, cost.snapped, cost.separated) == (3, False, ("connections",))
    nothing = latency_cost(use, Estimate(low=0.0, mid=0.5, high=2.0, confidence=0.9))
    assert (nothing.per_connection.high, nothing.per_connection.low) == pytest.approx((0.9, 0.45))


def test_a_tail_above_its_objective_without_load_leaves_no_room():
    cost = latency_cost(use_of((50.0, 100.0, 150.0), (2.0, 2.1, 2.2)), Estimate.exactly(1.0))

    assert (cost.baseline.mid, cost.per_connection.mid) == (1.0, 0.0)


@pytest.mark.parametrize(("levels", "is_told"), [(2, False), (3, True)])
def test_three_levels_and_a_growth_are_needed(levels, is_told):
    use = use_of([50.0 * (n + 1) for n in range(levels)], [0.2 + 0.1 * n for n in range(levels)])

    assert is_told is (why_no_latency(use) is None)
    assert "up to 150 connections" in why_no_latency(use_of((50.0, 100.0, 150.0), (0.4, 0.3, 0.2)))


def test_the_interval_is_as_wide_as_such_forecasts_missed(venue):
    """Steady percentiles, forecast three times beyond the highest level: σ of 0.0592 / 1.645."""
    use = use_of((50.0, 100.0, 150.0), (0.2, 0.3, 0.4))
    found = latency_ceilings(use, np.array([-1.0, 0.0, 1.0]))
    wide = 0.055 + (0.06 - 0.055) * math.log(1.5) / math.log(2)

    assert np.log(found / 450.0) == pytest.approx(np.array([-1, 0, 1]) * wide / 1.6449, abs=1e-3)


def test_steps_without_the_mix_connections_or_a_tail_take_no_part(venue):
    record = slow(venue, limit_s=0.5)
    steps = {step.index for step in record.steps}
    first, second, third = record.steps[1:4]
    spoiled = {
        first.index: replace(first, step=replace(first.step, is_mix=False)),
        second.index: replace(second, load=replace(second.load, connections=0.0)),
    }
    spoilt = replace(
        record,
        steps=tuple(spoiled.get(step.index, step) for step in record.steps),
        histograms={**record.histograms, (third.index, DELAY.value): Histogram(Counter({0: 900}))},
    )
    [use] = latency_uses(spoilt, steps - {record.steps[4].index})

    assert use.connections == tuple(float(level) for level in LEVELS[4:])
    assert use.steps == tuple(step.index for step in record.steps[5:])
    [whole] = latency_uses(record, steps)
    median, tail = (
        record.histograms[first.index, DELAY.value].quantile_us(q) / 1e6 for q in (0.5, 0.95)
    )
    assert (whole.medians_s[0], whole.tails_s[0]) == pytest.approx((median, tail))
