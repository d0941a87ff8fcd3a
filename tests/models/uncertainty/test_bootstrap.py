import numpy as np
import pytest

from capacity.models.uncertainty.bootstrap import (
    interval_around,
    spread_quantiles,
    widened,
    window_weights,
)


def test_weights_are_positive_and_one_on_average():
    weights = window_weights([0, 0, 1, 1, 2], np.random.default_rng(1), replicates=20_000)

    assert np.all(weights > 0.0)
    assert weights.mean(axis=0) == pytest.approx(np.ones(5), rel=0.05)


def test_windows_of_one_step_vary_together():
    weights = window_weights([7, 7, 9], np.random.default_rng(1), replicates=20_000)
    correlation = np.corrcoef(weights.T)

    # Var(EF) = 3 and Cov(EF, EF') = Var(E) = 1 for independent exponentials E, F, F'.
    assert correlation[0, 1] == pytest.approx(1 / 3, abs=0.05)
    assert correlation[0, 2] == pytest.approx(0.0, abs=0.05)


def test_the_same_seed_gives_the_same_weights():
    one, other = (window_weights([0, 1], np.random.default_rng(4)) for _ in range(2))

    assert np.array_equal(one, other)


def test_the_scatter_of_a_resampled_mean_is_its_standard_error():
    random = np.random.default_rng(2)
    values = random.normal(size=400)
    weights = window_weights(range(400), random, replicates=2000)
    means = weights @ values / weights.sum(axis=1)

    # Every window a step of its own: product weights have variance 3, so √3 standard errors.
    assert np.std(means) == pytest.approx(np.sqrt(3 / 400) * values.std(), rel=0.1)


def test_few_windows_widen_the_replicates_and_none_falls_below_zero():
    replicates = np.array([[10.0, 1.0], [14.0, 9.0]])

    found = widened(replicates, np.array([12.0, 5.0]), 8, 6)

    assert found == pytest.approx(np.array([[8.0, 0.0], [16.0, 13.0]]))


def test_bounds_are_values_of_the_sample_even_when_some_are_infinite():
    low, high = spread_quantiles(np.array([1.0, 2.0, 3.0, np.inf]), 0.9)

    assert (float(low), float(high)) == (1.0, np.inf)


def test_an_interval_around_a_forecast_has_the_bounds_of_the_replicates_and_holds_it():
    values = np.arange(1.0, 21.0)
    found = interval_around(10.0, values, 0.9)
    beside = interval_around(30.0, values, 0.9)

    assert (found.low, found.mid, found.high) == (1.0, 10.0, 20.0)
    assert (beside.low, beside.mid, beside.high) == (1.0, 30.0, 30.0)


def test_three_hundred_replicates_are_drawn():
    assert window_weights([0, 1], np.random.default_rng(4)).shape == (300, 2)


def test_without_a_window_to_spare_one_is_taken():
    found = widened(np.array([[14.0]]), np.array([12.0]), 4, 4)

    assert found.tolist() == [[16.0]]


def test_bounds_leave_half_of_the_rest_out_on_either_side():
    low, high = spread_quantiles(np.arange(1001.0), 0.8)

    assert (float(low), float(high)) == pytest.approx((100.0, 900.0), abs=1.0)
