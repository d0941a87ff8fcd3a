import numpy as np
import pytest

from capacity.models.drift import drift, slope

CALM = [100.0, 101.0, 99.0, 100.5, 99.5]


def test_a_value_among_the_others_has_not_moved():
    found = drift(CALM, 99.0, 0.01)

    assert not found.has_fallen
    assert not found.has_risen
    assert (found.median, found.runs, found.is_weak) == (100.0, 5, False)


def test_the_tolerance_is_four_sigma_of_the_scatter():
    sigma = 1.4826 * 0.5 * 5 / 4.2
    found = drift(CALM, 100.0, 0.001)

    assert found.tolerance_ratio == pytest.approx(4 * sigma / 100)
    assert drift(CALM, 100 - 4.01 * sigma, 0.001).has_fallen
    assert not drift(CALM, 100 - 3.99 * sigma, 0.001).has_fallen
    assert drift(CALM, 100 + 4.01 * sigma, 0.001).has_risen


def test_without_scatter_the_least_effect_decides():
    same = [100.0] * 6

    assert not drift(same, 95.1, 0.05).has_fallen
    assert drift(same, 94.9, 0.05).has_fallen


def test_a_value_at_the_tolerance_has_not_moved():
    same = [0.5] * 6

    assert not drift(same, 0.25, 0.5).has_fallen
    assert drift(same, 0.2499, 0.5).has_fallen
    assert not drift(same, 0.75, 0.5).has_risen
    assert drift(same, 0.7501, 0.5).has_risen


def test_an_outlier_does_not_hide_a_loss():
    assert drift([*CALM, 20.0], 90.0, 0.05).has_fallen


def test_few_values_are_weak():
    assert drift(CALM[:4], 90.0, 0.05).is_weak
    assert drift([100.0], 90.0, 0.05).has_fallen
    assert drift([], 90.0, 0.05) is None
    assert drift([0.0], 90.0, 0.05) is None


def test_a_slope_is_not_turned_by_an_outlier():
    times = list(range(12))
    values = [100.0 - 2.0 * time for time in times]
    values[5] = 10.0
    found = slope(times, values)

    assert found.mid == pytest.approx(-2.0)
    assert found.low <= found.mid <= found.high


def test_a_slope_of_noise_is_not_told_from_none():
    random = np.random.default_rng(1)
    found = slope(list(range(30)), list(100.0 + random.standard_normal(30)))

    assert found.low < 0.0 < found.high
    assert found.low < found.mid < found.high


def test_a_slope_amid_noise_lies_within_its_interval():
    noise = np.random.default_rng(2).standard_normal(30)
    found = slope(list(range(30)), [2.0 * n + each for n, each in enumerate(noise)])

    assert found.low < 2.0 < found.high
    assert 1.9 < found.low < found.mid < found.high < 2.1


def test_four_values_have_no_slope():
    assert slope([1, 2, 3, 4, 5], [1.0, 2.0, 3.0, 4.0, 5.0]).mid == pytest.approx(1.0)
    assert slope([1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0]) is None
    assert slope([1] * 6, [1.0] * 6) is None
