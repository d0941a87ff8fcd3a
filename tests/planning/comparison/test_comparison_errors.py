"""How sure a change is: errors of ceilings and capacities, and what counts as large."""

import itertools
import math
from dataclasses import replace
from statistics import NormalDist
from types import SimpleNamespace

import numpy as np
import pytest

from capacity.domain.answers.comparison import Outcome
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.resources import Resource
from capacity.models.contrasts import StepLine
from capacity.models.uncertainty.significance import Side, shift
from capacity.planning.comparison import comparison
from capacity.planning.comparison.comparison import compare
from capacity.planning.comparison.run_costs import ResourceLine


def test_one_false_alarm_in_a_hundred_comparisons_is_shared_by_all_that_is_judged(measured):
    found = compare([measured(2)], [measured(1)])
    costs = sum(change.is_judged for change in found.costs)

    # Beside the costs: three delays and the capacity.
    assert costs > 0
    assert found.chance_needed == pytest.approx(1.0 - 0.01 / (costs + 3 + 1), abs=1e-9)


def test_a_90_percent_interval_is_this_many_standard_deviations_wide():
    assert comparison._TWO_SIDED_90 == pytest.approx(NormalDist().inv_cdf(0.95), abs=1e-4)


@pytest.mark.parametrize(
    ("ratio", "chance", "outcome"),
    [
        (1.0101, 0.998, Outcome.IMPROVEMENT),
        (1.0099, 0.998, Outcome.NO_CHANGE),
        (1.0101, 0.997, Outcome.NO_CHANGE),
        (1 - 0.0101, 0.999, Outcome.REGRESSION),
        (1 - 0.0099, 0.999, Outcome.NO_CHANGE),
    ],
)
def test_a_change_of_the_capacity_has_to_be_large_and_sure(ratio, chance, outcome):
    moved = SimpleNamespace(difference=SimpleNamespace(mid=math.log(ratio)), chance=chance)

    assert comparison._judged(moved, 0.998, 0.01) is outcome


def test_the_least_effect_itself_is_large_enough():
    moved = SimpleNamespace(difference=SimpleNamespace(mid=0.5), chance=0.998)

    assert comparison._judged(moved, 0.998, math.expm1(0.5)) is Outcome.IMPROVEMENT


def with_plan(run, **changes):
    return replace(run, plan=replace(run.plan, **changes))


def test_a_whole_number_of_connections_is_rounded_by_up_to_a_half(measured):
    run = measured(1)
    hundred, half, memory = (
        with_plan(run, capacity=Estimate.exactly(value), binding=binding)
        for value, binding in (
            (100.0, Resource.DESCRIPTORS),
            (0.5, Resource.DESCRIPTORS),
            (100.0, Resource.MEMORY),
        )
    )

    assert comparison._rounding_error(hundred) == pytest.approx(0.00288675)
    assert comparison._rounding_error(half) == pytest.approx(0.288675)
    assert comparison._rounding_error(memory) == 0.0


def line_of(baseline, each):
    return ResourceLine(
        line=StepLine(
            coefficients=np.array([baseline, each]),
            shape=np.eye(2),
            square=0.0,
            residual_square=0.0,
            spare=3,
        ),
        components=("connections",),
    )


@pytest.mark.parametrize(
    ("limit", "baseline", "each", "error"),
    [
        # (L − b₀) / b: a hundredth of the baseline's error, and half of that of the cost.
        (110.0, 10.0, 2.0, math.hypot(0.01, 0.5)),
        (10.0, 10.0, 2.0, None),
        (10.5, 10.0, 2.0, math.hypot(2.0, 0.5)),
        (None, 10.0, 2.0, None),
        (110.0, 10.0, 0.0, None),
        (110.0, 10.0, 0.5, math.hypot(0.01, 2.0)),
    ],
)
def test_a_ceiling_errs_by_the_cost_and_by_what_is_used_without_connections(
    measured, limit, baseline, each, error
):
    plan = measured(1).plan
    wall = replace(plan.ladder[0], limit=replace(plan.ladder[0].limit, value=limit))

    assert comparison._line_error(wall, line_of(baseline, each), plan.mix) == (
        None if error is None else pytest.approx(error)
    )


def test_the_capacity_errs_as_its_line_and_its_rounding_or_as_its_interval(measured):
    run = measured(1)
    wall = replace(run.plan.ladder[0], limit=replace(run.plan.ladder[0].limit, value=110.0))
    run = with_plan(
        run, ladder=(wall,), capacity=Estimate(low=81.0, mid=100.0, high=100.0, confidence=0.9)
    )
    lines, errors = {wall.resource: line_of(10.0, 2.0)}, {wall.resource: 0.04}
    of_line = math.hypot(0.04 * math.hypot(0.01, 0.5), 12**-0.5 / 100)
    of_interval = math.log(100 / 81) / 2 / 1.6449

    def error(run, lines=lines, errors=errors):
        return comparison._capacity_error(run, lines, errors)

    assert error(run) == pytest.approx(of_line)
    assert error(run, errors={}) == pytest.approx(of_interval)
    assert error(run, lines={wall.resource: line_of(10.0, 0.0)}) == pytest.approx(of_interval)
    assert error(with_plan(run, met=object())) == pytest.approx(of_interval)
    assert error(with_plan(run, ladder=())) == pytest.approx(of_interval)
    for low, high in ((0.0, 100.0), (81.0, math.inf)):
        open_end = Estimate(low=low, mid=90.0, high=high, confidence=0.9)
        assert error(with_plan(run, capacity=open_end), errors={}) == 1.0
    small = Estimate(low=0.5, mid=0.9, high=1.0, confidence=0.9)
    assert error(with_plan(run, capacity=small), errors={}) == pytest.approx(
        math.log(2.0) / 2 / 1.6449
    )


def test_the_mix_of_a_side_is_the_mean_of_its_runs(measured):
    run = measured(1)
    other = with_plan(
        run,
        mix=LoadVector(
            connections=1.0,
            deliveries_per_s=3.0 * run.plan.mix.deliveries_per_s,
            delivered_bytes_per_s=5.0 * run.plan.mix.delivered_bytes_per_s,
            requests_per_s=7.0 * run.plan.mix.requests_per_s,
            handshakes_per_s=1.0,
        ),
    )
    mix, of = comparison._mean_mix([run, other]), run.plan.mix

    assert (mix.connections, mix.handshakes_per_s) == (1.0, 0.5)
    assert mix.deliveries_per_s == pytest.approx(2.0 * of.deliveries_per_s)
    assert mix.delivered_bytes_per_s == pytest.approx(3.0 * of.delivered_bytes_per_s)
    assert mix.requests_per_s == pytest.approx(4.0 * of.requests_per_s)


def test_the_capacity_is_compared_by_its_logarithm_and_the_safe_one_by_its_mean(measured):
    names = map(str, itertools.count())

    def of(mid, safe):
        run = with_plan(measured(1), capacity=Estimate.exactly(mid), safe_capacity=safe)
        manifest = replace(run.record.manifest, run=next(names))
        return replace(run, record=replace(run.record, manifest=manifest))

    middle, safe = compare(
        [of(100.0, 80), of(400.0, 120)], [of(100.0, 40), of(100.0, 120)]
    ).capacity

    assert (middle.baseline, middle.current) == pytest.approx((100.0, 200.0))
    assert middle.ratio.mid == pytest.approx(2.0)
    assert middle.ratio.low * middle.ratio.high == pytest.approx(4.0)
    assert (safe.baseline, safe.current, safe.ratio.mid) == (80.0, 100.0, 1.25)
    nothing = compare([of(0.5, 1)], [of(1.0, 0)]).capacity
    assert (nothing[0].ratio.mid, nothing[1].ratio) == (1.0, None)
    assert compare([of(1.0, 3)], [of(1.0, 1)]).capacity[1].ratio.mid == 3.0


def test_what_would_be_seen_of_the_capacity_is_a_loss(measured):
    found = compare([measured(2)], [measured(1)]).capacity[0]

    assert 0.0 < found.seen_from_ratio < 0.02
    assert found.seen_from_ratio == pytest.approx(
        1.0 - math.exp(-shift_of(found).seen_from(0.99)), rel=0.5
    )


def shift_of(change):
    reach = math.log(change.ratio.high / change.ratio.mid)
    error = reach / NormalDist().inv_cdf(0.95)
    return shift(Side(values=[0.0], errors=[error]), Side(values=[0.0], errors=[0.0]), 1000)
