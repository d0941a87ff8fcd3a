import numpy as np
import pytest

from capacity.models.uncertainty.significance import Side, shift


def one(value, error=1.0):
    return Side(values=[value], errors=[error])


def test_no_difference_is_as_likely_up_as_down():
    found = shift(one(10.0), one(10.0), 10)

    assert found.chance == 0.5
    assert (found.difference.low, found.difference.high) == pytest.approx((-2.563, 2.563), abs=1e-3)


def test_the_chance_grows_with_the_difference_and_is_the_same_both_ways():
    up, down = shift(one(10.0), one(14.0), 10), shift(one(14.0), one(10.0), 10)

    assert up.chance == down.chance == pytest.approx(0.9911, abs=1e-4)
    assert up.difference.mid == -down.difference.mid == 4.0


def test_what_was_counted_is_certain():
    found = shift(one(2.0, 0.0), one(3.0, 0.0), 5)

    assert (found.chance, found.difference.low, found.difference.high) == (1.0, 1.0, 1.0)
    assert found.error == 0.0
    assert shift(one(2.0, 0.0), one(2.0, 0.0), 5).chance == 0.5


def test_more_runs_a_side_make_it_surer():
    three = Side(values=[10.0, 10.0, 10.0], errors=[1.0] * 3)
    more = Side(values=[12.0, 12.0, 12.0], errors=[1.0] * 3)

    assert shift(three, more, 30).chance > shift(one(10.0), one(12.0), 30).chance


def test_runs_that_differ_more_than_they_say_count_by_how_they_differ():
    calm = Side(values=[10.0, 10.1, 9.9], errors=[0.1] * 3)
    wild = Side(values=[9.0, 13.0, 11.0], errors=[0.1] * 3)
    found = shift(calm, wild, 30)

    assert found.degrees == 4
    assert found.error == pytest.approx(np.sqrt((0.02 + 8.0) / 4 * 2 / 3))


def test_runs_that_differ_as_much_as_they_say_keep_their_degrees():
    sides = [Side(values=[base, base + 0.1, base - 0.1], errors=[0.1] * 3) for base in (10.0, 11.0)]

    assert shift(*sides, 30).degrees == 30


def test_false_alarms_are_as_rare_as_asked():
    random = np.random.default_rng(2)
    alarms = 0
    for _ in range(2000):
        before, after = (
            Side(values=list(random.normal(5.0, 0.5, 3)), errors=[0.5] * 3) for _ in range(2)
        )
        alarms += shift(before, after, 1000).chance >= 0.99

    assert alarms <= 2000 * 0.02 * 1.5


def test_what_can_be_seen_is_seen_in_95_of_100():
    random = np.random.default_rng(3)
    least = shift(one(10.0), one(10.0), 1000).seen_from(0.99)
    found = sum(
        shift(one(random.normal(10.0)), one(random.normal(10.0 + least)), 1000).chance >= 0.99
        for _ in range(1000)
    )

    assert 930 <= found <= 970


def test_errors_of_several_runs_are_those_of_their_means():
    sides = [Side(values=[base] * 3, errors=[1.0, 2.0, 2.0]) for base in (10.0, 12.0)]
    found = shift(*sides, 30)

    assert (found.error, found.degrees) == (pytest.approx(2**0.5), 30)
    reach = 1.697261 * 2**0.5
    assert (found.difference.low, found.difference.high) == pytest.approx((2 - reach, 2 + reach))
    assert found.seen_from(0.99) == pytest.approx(2**0.5 * (2.457262 + 1.697261), rel=1e-5)


@pytest.mark.parametrize(("factor", "degrees"), [(0.99, 30), (1.01, 4)])
def test_runs_differ_by_more_than_they_say_beyond_one_in_twenty(factor, degrees):
    """F of 4 and 30 degrees of freedom is 2.6896 at 95 %; of three values ±d the spread is 2·d² / 3."""
    off = np.sqrt(2.6896 * factor)
    sides = [Side(values=[base - off, base, base + off], errors=[1.0] * 3) for base in (0.0, 9.0)]

    assert shift(*sides, 30).degrees == degrees


def test_a_single_run_beside_several_has_no_spread_of_its_own():
    several = Side(values=[9.0, 10.0, 11.0], errors=[0.01] * 3)

    assert shift(one(10.0, 0.01), several, 30).degrees == 2
    assert shift(one(10.0, 0.01), several, 30).error == pytest.approx((1.0 * (1 + 1 / 3)) ** 0.5)
