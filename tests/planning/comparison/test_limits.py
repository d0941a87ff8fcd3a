from dataclasses import replace

import pytest

from capacity.domain.answers.comparison import Outcome
from capacity.domain.resources import LimitState, Resource
from capacity.planning.comparison.limits import limit_changes


def with_limit(run, **changes):
    ladder = tuple(
        replace(wall, limit=replace(wall.limit, **changes))
        if wall.resource is Resource.DESCRIPTORS
        else wall
        for wall in run.plan.ladder
    )
    return replace(run, plan=replace(run.plan, ladder=ladder))


@pytest.mark.parametrize(
    ("value", "outcome"), [(700.0, Outcome.REGRESSION), (2048.0, Outcome.IMPROVEMENT)]
)
def test_a_limit_that_moved_is_named(measured, value, outcome):
    (found,) = limit_changes([measured(1)], [measured(2, descriptors=value)])

    assert (found.resource, found.outcome) == (Resource.DESCRIPTORS, outcome)
    assert (found.baseline.value, found.current.value) == (1020.0, value)


def test_the_same_limits_are_no_change(measured):
    assert limit_changes([measured(1)], [measured(2)]) == ()


def test_a_few_pages_of_memory_are_no_change(measured):
    below, above = (
        limit_changes([measured(1)], [measured(2, memory_limit=256e6 * r)])
        for r in (1.0009, 1.0011)
    )

    assert below == ()
    assert [each.resource for each in above] == [Resource.MEMORY]


def test_a_limit_that_was_set_where_there_was_none_is_a_regression(measured):
    run = measured(1)
    free = with_limit(run, state=LimitState.UNLIMITED, value=None)

    assert [Outcome.REGRESSION] == [each.outcome for each in limit_changes([free], [run])]
    assert [Outcome.IMPROVEMENT] == [each.outcome for each in limit_changes([run], [free])]


def test_a_limit_that_one_side_does_not_name_is_neither_better_nor_worse(measured):
    run = measured(1)
    ladder = tuple(wall for wall in run.plan.ladder if wall.resource is not Resource.DESCRIPTORS)
    silent = replace(run, plan=replace(run.plan, ladder=ladder))
    (came,), (went,) = limit_changes([silent], [run]), limit_changes([run], [silent])

    assert (None, 1020.0) == (came.baseline, came.current.value)
    assert (1020.0, None) == (went.baseline.value, went.current)
    assert {Resource.DESCRIPTORS} == {came.resource, went.resource}
    assert {Outcome.CHANGED} == {came.outcome, went.outcome}


def test_a_limit_that_is_not_known_any_more_is_neither_better_nor_worse(measured):
    run = measured(1)
    unknown = with_limit(run, state=LimitState.UNKNOWN, value=None)

    assert [Outcome.CHANGED] == [each.outcome for each in limit_changes([run], [unknown])]


def test_what_a_run_ran_into_is_no_setting(measured):
    run = measured(1)

    assert limit_changes([run], [with_limit(run, scope="met", value=500.0)]) != ()
    assert [None] == [each.current for each in limit_changes([run], [with_limit(run, scope="met")])]


def test_a_limit_of_nothing_is_another_one_than_a_limit_of_one(measured):
    run = measured(1)
    none, one = (with_limit(run, value=value) for value in (0.0, 1.0))

    assert [Outcome.IMPROVEMENT] == [each.outcome for each in limit_changes([none], [one])]
    assert [Outcome.REGRESSION] == [each.outcome for each in limit_changes([one], [none])]
