from dataclasses import replace

import pytest

from capacity.domain.answers.comparison import Outcome
from capacity.planning.comparison.delays import delay_changes

NEEDED = 0.998


def change(before, after):
    (found,) = delay_changes(before, after, NEEDED)
    return found


def test_a_delay_that_doubled_is_a_regression(planted_record):
    found = change([planted_record(1, delay_s=0.01)], [planted_record(2, delay_s=0.02)])

    assert (found.figure, found.outcome) == ("delivery_delay.p99", Outcome.REGRESSION)
    assert found.ratio.mid == pytest.approx(2.0, rel=0.1)
    assert found.current == pytest.approx(0.02, rel=0.1)


def test_a_delay_that_halved_is_an_improvement(planted_record):
    found = change([planted_record(1, delay_s=0.02)], [planted_record(2, delay_s=0.01)])

    assert found.outcome is Outcome.IMPROVEMENT


def test_the_same_delay_is_no_change(planted_record):
    found = change([planted_record(1, delay_s=0.01)], [planted_record(2, delay_s=0.01)])

    assert found.outcome is Outcome.NO_CHANGE


def test_what_nobody_notices_is_no_regression(planted_record):
    tiny = change([planted_record(1, delay_s=0.0005)], [planted_record(2, delay_s=0.001)])

    assert tiny.chance > NEEDED
    assert tiny.outcome is Outcome.NO_CHANGE


def test_without_delays_there_is_nothing_to_compare(planted_record):
    assert delay_changes([planted_record(1)], [planted_record(2, delay_s=0.01)], NEEDED) == []


def test_levels_that_only_one_run_held_take_no_part(planted_record):
    before = planted_record(1, delay_s=0.01)
    steps = [
        replace(step, step=replace(step.step, connections=step.step.connections * 2))
        if step.step.connections > 100
        else step
        for step in planted_record(2, delay_s=0.02).steps
    ]
    found = change([before], [replace(before, steps=tuple(steps))])

    assert (found.outcome, found.is_judged) == (Outcome.NO_CHANGE, False)
    assert "3 are needed" in found.note


@pytest.mark.parametrize(
    ("added_s", "outcome"), [(0.0009, Outcome.NO_CHANGE), (0.0011, Outcome.REGRESSION)]
)
def test_a_millisecond_is_the_least_that_is_noticed(planted_record, added_s, outcome):
    before = planted_record(1, delay_s=0.002)
    known = {step.index: step.delivery_delay for step in before.steps}
    later = [
        replace(
            step, delivery_delay=replace(known[step.index], p99_s=known[step.index].p99_s + added_s)
        )
        if known[step.index]
        else step
        for step in before.steps
    ]

    assert change([before], [replace(before, steps=tuple(later))]).outcome is outcome
