"""The search against planted limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.workload.profiles.search import Bounds, Bracket, Trial, bracket_of, next_trial

BOUNDS = Bounds(
    start=200,
    limit=20_000,
    growth=1.5,
    precision_ratio=0.005,
    plateau_s=3.0,
    longest_plateau_s=10.0,
)


def trial(connections, passed, *, plateau_s=10.0, held=None):
    return Trial(
        connections=connections,
        plateau_s=plateau_s,
        failure=None if passed else "not_all_open",
        held=connections if held is None else held,
    )


def searched(holds, *, bounds=BOUNDS, tells_what_it_held=False, trials=()):
    """Return all trials of a search in a target where holds(connections, plateau_s) is the truth."""
    trials = list(trials)
    while (due := next_trial(bounds, trials)) is not None:
        assert len(trials) < 100
        connections, plateau_s = due
        passed = holds(connections, plateau_s)
        held = 0
        if tells_what_it_held:
            held = max(n for n in range(connections + 1) if n == 0 or holds(n, plateau_s))
        trials.append(trial(connections, passed, plateau_s=plateau_s, held=held))
    return trials


@given(st.integers(1, 19_999))
def test_the_limit_lies_in_the_bracket_to_the_precision(limit):
    bracket = bracket_of(searched(lambda connections, _s: connections <= limit))

    assert bracket.last_passing <= limit < bracket.first_failing
    assert bracket.first_failing - bracket.last_passing <= max(1, 0.005 * limit)


def test_a_target_that_tells_what_it_held_needs_few_failures():
    trials = searched(lambda connections, _s: connections <= 3990, tells_what_it_held=True)

    assert 3990 == bracket_of(trials).last_passing
    assert 2 == sum(trial.failure is not None for trial in trials)


def test_the_result_was_held_for_the_longest_time():
    trials = searched(lambda connections, _s: connections <= 1234)
    last_passing = bracket_of(trials).last_passing

    assert 10.0 == max(t.plateau_s for t in trials if t.connections == last_passing)


def test_trials_far_from_the_limit_are_short_and_lengthen_as_the_bracket_narrows():
    trials = searched(lambda connections, _s: connections <= 1234)
    first_failure = [t.failure is None for t in trials].index(False)
    growing = [t.plateau_s for t in trials[:first_failure]]
    narrowing = [t.plateau_s for t in trials[first_failure + 1 :]]

    assert {3.0} == set(growing)
    assert sorted(narrowing) == narrowing
    assert narrowing[0] < 5
    assert narrowing[-1] > 9.5


def test_a_count_that_holds_only_for_a_while_is_not_the_limit():
    trials = searched(lambda connections, s: connections <= (1000 if s > 9.5 else 1100))

    assert bracket_of(trials).last_passing <= 1000


def test_a_first_count_that_fails_is_searched_below():
    assert 40 == bracket_of(searched(lambda n, _s: n <= 40)).last_passing


def test_a_target_that_holds_nothing_ends_the_search():
    assert Bracket(last_passing=None, first_failing=1) == bracket_of(searched(lambda _n, _s: False))


def test_a_target_that_never_breaks_ends_the_search_at_its_end():
    trials = searched(lambda _n, _s: True)

    assert Bracket(last_passing=20_000, first_failing=None) == bracket_of(trials)


def test_a_search_goes_on_from_the_trials_of_an_earlier_one():
    whole = searched(lambda connections, _s: connections <= 1234)
    rest = searched(lambda connections, _s: connections <= 1234, trials=whole[:5])

    assert whole == rest


@pytest.mark.parametrize("order", [1, -1])
def test_a_pass_above_a_failure_proves_nothing(order):
    trials = [trial(100, True), trial(150, False), trial(160, True)][::order]

    assert Bracket(last_passing=100, first_failing=150) == bracket_of(trials)
