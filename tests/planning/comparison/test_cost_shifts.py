import pytest

from capacity.domain.answers.comparison import Outcome
from capacity.domain.resources import Resource
from capacity.planning.comparison.cost_shifts import cost_change, cost_shifts
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
