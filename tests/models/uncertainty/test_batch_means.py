import numpy as np
import pytest

from capacity.models.uncertainty.batch_means import relative_error


def test_what_comes_at_once_is_uncertain_by_less_than_that():
    # 14 updates to 20 connections in 7 s, read twice a second, in whatever phase.
    updates_s = np.arange(0.0, 7.0, 0.5)
    errors = []
    for phase_s in np.linspace(0.0, 0.49, 50):
        counts, _edges = np.histogram(updates_s + phase_s, np.arange(0.0, 7.01, 0.5))
        errors.append(relative_error([(20 * count, 0.5) for count in counts], at_once=20.0))

    assert max(errors) < 0.04


def test_the_error_is_that_of_the_mean_of_independent_readings():
    found = [
        relative_error([(count, 0.5) for count in np.random.default_rng(seed).poisson(50, 16)])
        for seed in range(200)
    ]

    # A Poisson mean of 800 arrivals.
    assert pytest.approx(1 / np.sqrt(800), rel=0.15) == np.sqrt(np.mean(np.square(found)))


def test_updates_that_come_by_chance_are_as_uncertain_as_their_count():
    found = [
        relative_error(
            [(20 * count, 0.5) for count in np.random.default_rng(seed).poisson(1, 14)],
            at_once=20.0,
        )
        for seed in range(300)
    ]

    assert pytest.approx(1 / np.sqrt(14), rel=0.2) == np.sqrt(np.mean(np.square(found)))


def test_a_rate_that_falls_has_an_error_that_says_so():
    assert relative_error([(count, 0.5) for count in range(160, 0, -10)]) > 0.1


@pytest.mark.parametrize("count", [8, 7])
def test_two_readings_a_batch_are_the_least(count):
    assert (count == 8) == (relative_error([(5, 0.5)] * count) is not None)


def test_nothing_counted_has_no_relative_error():
    assert relative_error([(0, 0.5)] * 16) is None


def test_a_steady_rate_is_uncertain_by_where_its_edges_cut_it():
    """A cut anywhere within errs by a uniform deviate: two edges, a twelfth each, squared."""
    assert relative_error([(20, 0.5)] * 16, at_once=20.0) == pytest.approx(20 / np.sqrt(6) / 320)


def test_the_error_is_the_scatter_of_four_batches():
    """Batches of 8, 12, 8 and 12 in two seconds each are off by 2 from what a steady rate gives."""
    readings = [(count / 2, 1.0) for count in (8, 12, 8, 12) for _ in "12"]

    assert relative_error(readings) == pytest.approx((16 / 3 * 4) ** 0.5 / 40)
    # Two at once at either edge explains a sixth of its square of each.
    assert relative_error(readings, at_once=2.0) == pytest.approx(
        ((16 / 3 - 4 / 6) * 4 + 4 / 6) ** 0.5 / 40
    )


def test_readings_of_no_time_are_none():
    assert relative_error([(5, 0.5)] * 8 + [(99, 0.0)]) == 0.0
    assert relative_error([(5, 0.5)] * 7 + [(99, 0.0)]) is None


def test_a_count_of_little_is_a_count():
    assert relative_error([(0.01, 0.5)] * 16) == 0.0
