import math
from dataclasses import replace
from statistics import NormalDist
from types import SimpleNamespace

import numpy as np
import pytest

from capacity.domain.answers.comparison import Outcome
from capacity.domain.errors import RunInvalidError
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.resources import Resource
from capacity.models.contrasts import StepLine
from capacity.models.uncertainty.significance import Side, shift
from capacity.planning.comparison import comparison
from capacity.planning.comparison.comparison import compare
from capacity.planning.comparison.run_costs import ResourceLine

TRIALS = 20
"""Of each kind here; tests/benchmarks/regressions.py does a hundred."""


def test_a_dearer_connection_is_found_at_a_quarter_of_the_load(measured):
    found = [
        compare([measured(100 + n, memory=1.03, cpu=1.03)], [measured(500 + n)])
        for n in range(TRIALS)
    ]
    memory = ["cost.memory_per_connection" in each.regressions for each in found]
    cpu = ["cost.event_loop_per_connection" in each.regressions for each in found]

    assert all(each.capacity[0].baseline > 3.9 * 245 for each in found)
    assert sum(memory) >= TRIALS - 2
    assert sum(cpu) == TRIALS


def test_the_same_build_twice_is_no_regression(measured):
    found = [compare([measured(100 + n)], [measured(500 + n)]) for n in range(TRIALS)]

    assert [Outcome.NO_CHANGE] * TRIALS == [each.outcome for each in found]


def test_runs_that_differ_from_each_other_are_told_by_several_of_them(measured):
    def runs(first, **changes):
        return [measured(first + n, run_noise=0.04, **changes) for n in range(4)]

    alarms = sum(
        compare(runs(1000 + 10 * n), runs(5000 + 10 * n)).outcome is Outcome.REGRESSION
        for n in range(TRIALS)
    )
    found = sum(
        "cost.event_loop_per_connection"
        in compare(runs(1000 + 10 * n, cpu=1.5), runs(5000 + 10 * n)).regressions
        for n in range(TRIALS)
    )

    assert alarms <= 1
    assert found == TRIALS


def test_noise_from_run_to_run_that_is_known_makes_no_alarms(measured):
    pairs = [
        ([measured(100 + n, run_noise=0.02)], [measured(500 + n, run_noise=0.02)])
        for n in range(TRIALS)
    ]
    unaware = sum(compare(*pair).outcome is Outcome.REGRESSION for pair in pairs)
    aware = sum(
        compare(*pair, run_noise_ratio=0.02).outcome is Outcome.REGRESSION for pair in pairs
    )

    assert unaware > 3
    assert aware <= 1


def test_a_lower_limit_is_a_regression_of_the_limit_and_of_the_capacity(measured):
    found = compare([measured(2, descriptors=700.0)], [measured(1)])

    assert found.outcome is Outcome.REGRESSION
    assert found.regressions == ("capacity.mid", "limit.descriptors")
    assert found.capacity[0].ratio.mid == pytest.approx(685 / 1005, rel=0.01)


def test_a_capacity_that_costs_took_is_a_regression_of_both(measured):
    found = compare([measured(2, memory=1.4)], [measured(1, memory=1.2)])

    assert found.bottleneck == (Resource.DESCRIPTORS, Resource.DESCRIPTORS)
    binding = compare(
        [measured(2, memory=1.4, memory_limit=100e6)], [measured(1, memory=1.2, memory_limit=100e6)]
    )
    assert binding.bottleneck == (Resource.MEMORY, Resource.MEMORY)
    assert binding.regressions == ("capacity.mid", "cost.memory_per_connection")


def test_one_connection_more_or_less_is_rounding(measured):
    found = compare([measured(2, descriptors=89.0)], [measured(1, descriptors=90.0)])

    assert found.regressions == ("limit.descriptors",)
    assert abs(found.capacity[0].ratio.mid - 1.0) > 0.01


def test_another_bottleneck_is_said(measured):
    found = compare([measured(2, memory_limit=80e6)], [measured(1)])

    assert found.bottleneck == (Resource.DESCRIPTORS, Resource.MEMORY)


def test_an_improvement_is_one(measured):
    found = compare([measured(2, cpu=0.9)], [measured(1)])

    assert (found.outcome, found.regressions) == (Outcome.IMPROVEMENT, ())


def test_incomparable_runs_are_refused_with_the_difference(measured):
    with pytest.raises(RunInvalidError, match="cannot be compared: the target's dialect: deribit"):
        compare([measured(2, target={"dialect": "json-push"})], [measured(1)])


def test_one_run_a_side_is_a_caveat_and_three_are_not(measured):
    single = compare([measured(2)], [measured(1)])
    several = compare([measured(n) for n in (4, 5, 6)], [measured(n) for n in (1, 2, 3)])

    assert any("one run a side" in caveat for caveat in single.caveats)
    assert compare([measured(2)], [measured(1)], run_noise_ratio=0.01).caveats == ()
    assert several.caveats == ()


def test_a_generator_that_was_the_limit_is_a_caveat(measured):
    run = measured(1)
    spoiled = replace(
        run,
        plan=replace(run.plan, generator=replace(run.plan.generator, is_trustworthy=False)),
    )

    assert (
        "the load generator was a limit itself in run-1"
        in compare([measured(2)], [spoiled]).caveats
    )


def test_other_messages_are_a_caveat(measured):
    run = measured(1)
    larger = replace(
        run,
        plan=replace(
            run.plan,
            mix=replace(
                run.plan.mix, delivered_bytes_per_s=1.2 * run.plan.mix.delivered_bytes_per_s
            ),
        ),
    )

    assert any("+20 % bytes" in caveat for caveat in compare([larger], [measured(2)]).caveats)


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


@pytest.mark.parametrize(
    ("times", "is_said"), [(1.09, False), (1.11, True), (0.91, False), (0.89, True)]
)
def test_a_tenth_more_or_fewer_bytes_a_second_is_another_load(measured, times, is_said):
    run = measured(1)
    mix = run.plan.mix
    other = with_plan(
        run, mix=replace(mix, delivered_bytes_per_s=times * mix.delivered_bytes_per_s)
    )
    said = comparison._caveats([run, run], [run, other], 0.0)

    assert is_said == bool(said)
    silent = with_plan(run, mix=replace(mix, delivered_bytes_per_s=0.0))
    assert comparison._caveats([silent, run], [run, other], 0.0) == []


def test_a_single_run_on_either_side_is_said_unless_the_noise_is_known(measured):
    run = measured(1)

    for sides in (([run], [run, run]), ([run, run], [run])):
        assert len(comparison._caveats(*sides, 0.0)) == 1
        assert comparison._caveats(*sides, 0.5) == []


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
    def of(mid, safe):
        return with_plan(measured(1), capacity=Estimate.exactly(mid), safe_capacity=safe)

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
