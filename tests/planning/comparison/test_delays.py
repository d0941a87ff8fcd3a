import math
from dataclasses import replace

import pytest
from scipy.stats import t as student

from capacity.domain.answers.comparison import Outcome
from capacity.planning.comparison.delays import _match, delay_changes

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


def with_tails(record, tails_s):
    """Return the record whose subscribed steps have these percentiles, one after the other."""
    left = iter(tails_s)
    return replace(
        record,
        steps=tuple(
            replace(step, delivery_delay=replace(step.delivery_delay, p99_s=next(left)))
            if step.delivery_delay
            else step
            for step in record.steps
        ),
    )


@pytest.fixture
def tails(planted_record):
    return lambda *tails_s: with_tails(planted_record(1, delay_s=0.1), tails_s)


@pytest.mark.parametrize(
    ("logs", "error"),
    # Their own scatter of 0.1291 / √4, or a twentieth where they agree by chance.
    [((0.3, 0.4, 0.5, 0.6), 0.1290994 / 2), ((0.45, 0.45, 0.45, 0.45), 0.05)],
)
def test_how_sure_a_delay_is_comes_from_the_scatter_of_its_steps(tails, logs, error):
    before, after = tails(*[0.1] * 4), tails(*[0.1 * math.exp(each) for each in logs])
    [found] = delay_changes([before], [after], NEEDED)

    assert (found.baseline, found.current) == pytest.approx((0.1, 0.1 * math.exp(0.45)))
    assert math.log(found.ratio.mid) == pytest.approx(0.45)
    assert math.log(found.ratio.high) == pytest.approx(0.45 + 2.353363 * error)
    assert math.log(found.ratio.low) == pytest.approx(0.45 - 2.353363 * error)
    assert found.chance == pytest.approx(student.cdf(0.45 / error, 3))
    # Found at 0.998 in 95 of 100 cases.
    assert found.seen_from_ratio == pytest.approx(
        math.expm1((8.052608 + 2.353363) * error), rel=1e-4
    )
    assert (found.ratio.confidence, found.note) == (0.9, "on 4 comparable steps")


def test_less_than_a_fifth_is_never_said_to_be_seen(tails):
    [found] = delay_changes([tails(*[0.1] * 4)], [tails(*[0.1] * 4)], 0.6)

    assert found.seen_from_ratio == 0.2


@pytest.mark.parametrize(
    ("factor", "outcome"),
    [
        (1.21, Outcome.REGRESSION),
        (1.19, Outcome.NO_CHANGE),
        (0.79, Outcome.IMPROVEMENT),
        (0.81, Outcome.NO_CHANGE),
    ],
)
def test_a_fifth_is_the_least_that_is_noticed(tails, factor, outcome):
    [found] = delay_changes([tails(*[0.1] * 4)], [tails(*[0.1 * factor] * 4)], 0.9)

    assert found.outcome is outcome


def test_several_runs_a_side_count_by_their_geometric_mean(tails):
    before = [tails(*[0.1] * 4), tails(*[0.4] * 4)]
    [found] = delay_changes(before, [tails(*[0.2] * 4)], NEEDED)

    assert (found.baseline, found.ratio.mid) == pytest.approx((0.2, 1.0))


@pytest.mark.parametrize(
    ("changes", "is_alike"),
    [
        ({"connections": 110}, True),
        ({"connections": 111}, False),
        ({"connections": 90}, True),
        ({"connections": 89}, False),
        ({"subscriptions_per_connection": 3}, False),
        ({"requests_per_s": 0.5}, True),
        ({"requests_per_s": 0.0}, False),
        ({"churn_per_s": 0.5}, False),
    ],
)
def test_a_step_is_alike_with_a_tenth_more_or_fewer_connections_of_the_same_kind(
    planted_record, changes, is_alike
):
    record = planted_record(1, delay_s=0.1)
    like = next(step for step in record.steps if step.delivery_delay)
    step = replace(like, step=replace(like.step, connections=100, requests_per_s=2.0))
    other = replace(step, step=replace(step.step, **changes))

    assert is_alike == (_match("delivery_delay", step, replace(record, steps=(other,))) is not None)
    nearer = replace(step, index=77, step=replace(step.step, connections=101))
    found = _match("delivery_delay", step, replace(record, steps=(other, nearer)))
    assert found.index == (other.index if is_alike and other.step.connections == 100 else 77)
