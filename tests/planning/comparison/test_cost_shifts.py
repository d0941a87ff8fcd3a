import math

import pytest

from capacity.domain.answers.comparison import Outcome
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.models.uncertainty.significance import Shift, Side
from capacity.planning.comparison.cost_shifts import (
    CostShift,
    _is_told,
    cost_change,
    cost_shifts,
)
from capacity.planning.comparison.run_costs import resource_lines

NEEDED = 0.998


def changes(before, after, least=0.01):
    lines = [
        [resource_lines(run.record, list(Resource)) for run in side] for side in (before, after)
    ]
    shifts = cost_shifts(lines[0], lines[1], before[0].plan.mix)
    return {each.resource: cost_change(each, NEEDED, least) for each in shifts}


def test_a_dearer_connection_is_a_regression_of_that_resource_alone(measured):
    found = changes([measured(1)], [measured(2, cpu=1.05)])

    assert found[Resource.EVENT_LOOP].outcome is Outcome.REGRESSION
    assert found[Resource.EVENT_LOOP].ratio.low < 1.05 < found[Resource.EVENT_LOOP].ratio.high
    assert found[Resource.EVENT_LOOP].note.startswith("deliveries +5.")
    assert found[Resource.MEMORY].outcome is Outcome.NO_CHANGE
    assert found[Resource.DESCRIPTORS].outcome is Outcome.NO_CHANGE


def test_a_cheaper_connection_is_an_improvement(measured):
    found = changes([measured(1, memory=1.05)], [measured(2)])

    assert found[Resource.MEMORY].outcome is Outcome.IMPROVEMENT


def test_a_change_below_the_least_effect_does_not_count(measured):
    sides = [measured(1)], [measured(2, cpu=1.05)]

    assert changes(*sides, least=0.045)[Resource.EVENT_LOOP].outcome is Outcome.REGRESSION
    assert changes(*sides, least=0.055)[Resource.EVENT_LOOP].outcome is Outcome.NO_CHANGE


def test_what_can_be_detected_is_said(measured):
    found = changes([measured(1)], [measured(2)])[Resource.EVENT_LOOP]

    assert 0.005 < found.seen_from_ratio < 0.03


def test_what_the_whole_host_uses_is_shown_and_not_judged(planted, cost, measured):
    from capacity.planning.comparison.run_costs import MeasuredRun
    from capacity.planning.plan import plan

    def run(seed, each):
        made = planted(
            costs={
                Resource.MEMORY: cost(baseline=60e6, connection=60e3, noise=0.001),
                Resource.HOST_MEMORY: cost(baseline=3e8, connection=each, noise=0.0001),
            },
            limits={Resource.MEMORY: 256e6, Resource.HOST_MEMORY: 1e9},
            seed=seed,
        ).record()
        return MeasuredRun(record=made, plan=plan(made))

    found = changes([run(1, 60e3)], [run(2, 120e3)])[Resource.HOST_MEMORY]

    assert found.chance > NEEDED
    assert (found.outcome, found.is_judged) == (Outcome.NO_CHANGE, False)


def test_a_cost_that_is_new_is_a_regression_without_a_ratio(planted, cost):
    from capacity.planning.comparison.run_costs import MeasuredRun
    from capacity.planning.plan import plan

    def run(seed, each):
        made = planted(
            costs={
                Resource.MEMORY: cost(baseline=60e6, connection=60e3, noise=0.001),
                Resource.THREADS: cost(baseline=8, connection=each),
            },
            limits={Resource.MEMORY: 256e6, Resource.THREADS: 4000.0},
            seed=seed,
        ).record()
        return MeasuredRun(record=made, plan=plan(made))

    found = changes([run(1, 0.0)], [run(2, 1.0)])[Resource.THREADS]

    assert (found.outcome, found.ratio) == (Outcome.REGRESSION, None)
    assert found.current == pytest.approx(1.0, rel=0.01)


def test_that_a_connection_is_one_connection_is_no_figure(planted, cost):
    from capacity.planning.comparison.run_costs import MeasuredRun
    from capacity.planning.plan import plan

    made = planted(
        costs={
            Resource.MEMORY: cost(baseline=60e6, connection=60e3, noise=0.001),
            Resource.APPLICATION_CONNECTIONS: cost(baseline=0, connection=1.0),
        },
        limits={Resource.MEMORY: 256e6, Resource.APPLICATION_CONNECTIONS: 900.0},
    ).record()
    run = MeasuredRun(record=made, plan=plan(made))

    assert set(changes([run], [run])) == {Resource.MEMORY}


def side(value, error, runs=1):
    return Side(values=[value] * runs, errors=[error] * runs)


@pytest.mark.parametrize(
    ("errors", "is_told"), [([3.3], True), ([3.34], False), ([4.7] * 2, True), ([4.8] * 2, False)]
)
def test_a_cost_counts_from_three_standard_errors_of_its_mean_on(errors, is_told):
    assert _is_told(Side(values=[10.0] * len(errors), errors=errors)) is is_told


def moved(mid, chance, resource=Resource.THREADS, before=None, after=None):
    return CostShift(
        resource=resource,
        before=before or side(10.0, 0.1),
        after=after or side(10.0 + mid, 0.1),
        shift=Shift(
            difference=Estimate(low=mid - 0.2, mid=mid, high=mid + 0.4, confidence=0.9),
            chance=chance,
            error=0.1,
            degrees=1000,
        ),
        note="its parts",
    )


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (moved(0.51, 0.998), Outcome.REGRESSION),
        (moved(0.49, 0.998), Outcome.NO_CHANGE),
        (moved(0.51, 0.997), Outcome.NO_CHANGE),
        (moved(-0.51, 0.998), Outcome.IMPROVEMENT),
        (moved(0.0, 0.998), Outcome.NO_CHANGE),
        (moved(0.51, 0.998, Resource.HOST_MEMORY), Outcome.NO_CHANGE),
        (moved(0.51, 0.998, Resource.CONNTRACK), Outcome.NO_CHANGE),
        # What was nothing before has no ratio that could be small.
        (moved(0.1, 0.998, before=side(0.1, 0.1)), Outcome.REGRESSION),
        (moved(0.0, 0.998, before=side(0.1, 0.1)), Outcome.NO_CHANGE),
        (moved(9.0, 0.998, before=side(0.1, 0.1), after=side(0.1, 0.1)), Outcome.NO_CHANGE),
    ],
)
def test_a_cost_is_judged_by_how_sure_and_how_large_its_change_is(found, outcome):
    change = cost_change(found, NEEDED, 0.05)

    assert change.outcome is outcome
    assert (change.note == "its parts") is (outcome is not Outcome.NO_CHANGE)


def test_a_change_is_told_over_what_it_was():
    change = cost_change(moved(0.5, 0.9), NEEDED, 0.05)

    assert (change.ratio.low, change.ratio.mid, change.ratio.high) == pytest.approx(
        (1.03, 1.05, 1.09)
    )
    # z of 0.998 and of 0.95, over 10.
    assert change.seen_from_ratio == pytest.approx(0.1 * (2.8782 + 1.6449) / 10, rel=3e-3)
    assert (change.baseline, change.current, change.ratio.confidence) == (10.0, 10.5, 0.9)
    nothing = cost_change(moved(0.5, 0.9, before=side(0.1, 0.1)), NEEDED, 0.05)
    assert (nothing.ratio, nothing.seen_from_ratio) == (None, None)


def test_noise_from_run_to_run_that_is_known_adds_to_the_error(measured):
    lines = [[resource_lines(measured(n).record, [Resource.MEMORY])] for n in (1, 2)]
    mix = measured(1).plan.mix
    bare, noisy = (cost_shifts(*lines, mix, ratio)[0] for ratio in (0.0, 0.05))

    assert noisy.before.values == bare.before.values
    assert noisy.before.errors[0] == pytest.approx(
        math.hypot(bare.before.errors[0], 0.05 * bare.before.values[0])
    )


def test_parts_are_told_where_99_of_100_would_not_move_so_far(measured):
    def said(dearer):
        found = changes([measured(1)], [measured(2, cpu=dearer)], least=0.0001)
        return found[Resource.EVENT_LOOP].note

    assert said(1.5) == "connections +49.2 %, deliveries +50.2 %, requests +55.9 %"
    assert "connections" not in said(1.02)


@pytest.mark.parametrize(("least", "is_judged"), [(1023.0, False), (1024.0, True)])
@pytest.mark.parametrize("is_before", [True, False])
def test_memory_that_a_target_used_again_is_shown_and_not_judged(least, is_judged, is_before):
    low, high = Side(values=[least], errors=[1.0]), Side(values=[16e3], errors=[1.0])
    before, after = (low, high) if is_before else (high, low)
    sides = {"before": before, "after": after}
    difference = Estimate(low=-1e5, mid=-1e4, high=-1e3, confidence=0.9)
    moved = Shift(difference=difference, chance=1.0, error=1.0, degrees=20)
    found = {
        resource: cost_change(
            CostShift(resource=resource, shift=moved, note="", **sides), NEEDED, 0.01
        )
        for resource in (Resource.MEMORY, Resource.EVENT_LOOP)
    }

    assert found[Resource.MEMORY].is_judged is is_judged
    assert ("restart the target before each run" in found[Resource.MEMORY].note) is not is_judged
    assert found[Resource.EVENT_LOOP].is_judged
