from dataclasses import replace

import pytest

from capacity.domain.answers.comparison import Outcome
from capacity.domain.caveats import Doubt, DoubtKind
from capacity.domain.errors import RunInvalidError
from capacity.domain.resources import Resource
from capacity.planning.comparison import comparison
from capacity.planning.comparison.comparison import compare

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

    alarms = found = 0
    for n in range(TRIALS):
        before = runs(5000 + 10 * n)
        alarms += compare(runs(1000 + 10 * n), before).outcome is Outcome.REGRESSION
        dearer = compare(runs(1000 + 10 * n, cpu=1.5), before)
        found += "cost.event_loop_per_connection" in dearer.regressions

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


@pytest.mark.parametrize(("after", "before"), [([1], [1]), ([2, 2], [1]), ([3], [1, 2, 1])])
def test_a_run_is_not_compared_with_itself_nor_counted_twice(measured, after, before):
    sides = [measured(n) for n in after], [measured(n) for n in before]

    with pytest.raises(RunInvalidError, match=r"run-\d is among them 2 times; name each run once"):
        compare(*sides)


def test_one_run_a_side_is_a_caveat_and_three_are_not(measured):
    single = compare([measured(2)], [measured(1)])
    several = compare([measured(n) for n in (4, 5, 6)], [measured(n) for n in (1, 2, 3)])

    assert any("one run a side" in caveat for caveat in single.caveats)
    assert compare([measured(2)], [measured(1)], run_noise_ratio=0.01).caveats == ()
    assert several.caveats == ()


def test_a_record_that_is_incomplete_is_a_caveat(measured):
    torn = measured(1)
    doubt = Doubt(kind=DoubtKind.RUN_INCOMPLETE, statement="The record is torn.", remedy="")
    torn = replace(torn, plan=replace(torn.plan, doubts=(doubt,)))

    assert f"of {torn.plan.run}: The record is torn." in compare([measured(2)], [torn]).caveats


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


def with_plan(run, **changes):
    return replace(run, plan=replace(run.plan, **changes))


@pytest.mark.parametrize("bytes_per_s", [None, 0.5])
@pytest.mark.parametrize(
    ("times", "is_said"), [(1.09, False), (1.11, True), (0.91, False), (0.89, True)]
)
def test_a_tenth_more_or_fewer_bytes_a_second_is_another_load(
    measured, bytes_per_s, times, is_said
):
    run = measured(1)
    if bytes_per_s is not None:
        run = with_plan(run, mix=replace(run.plan.mix, delivered_bytes_per_s=bytes_per_s))
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
