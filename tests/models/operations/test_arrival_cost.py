import numpy as np
import pytest

from capacity.models.operations.arrival_cost import arrival_cost_s

OPENED = [250, 0, 250, 0, 500, 0]
SUBSCRIBED = [0, 250, 0, 500, 0, 1000]


def excess_s(opening_s, subscribing_s, noise_s=0.0, seed=1):
    noise = np.random.default_rng(seed).normal(0.0, noise_s, len(OPENED))
    return [
        opening_s * opened + subscribing_s * subscribed + error
        for opened, subscribed, error in zip(OPENED, SUBSCRIBED, noise, strict=True)
    ]


def test_planted_costs_of_opening_and_subscribing_are_added_up():
    found = arrival_cost_s(excess_s(6e-4, 1e-4), OPENED, SUBSCRIBED)

    assert (found.low, found.mid, found.high) == pytest.approx((7e-4, 7e-4, 7e-4))


def test_the_sum_is_known_where_all_ramps_do_both():
    opened = [100, 200, 300]

    found = arrival_cost_s([7e-4 * arrivals for arrivals in opened], opened, opened)

    assert found.mid == pytest.approx(7e-4)


def test_ramps_that_never_subscribe_give_the_cost_of_opening():
    found = arrival_cost_s([0.06, 0.12, 0.18], [100, 200, 300], [0, 0, 0])

    assert found.mid == pytest.approx(6e-4)


def test_the_upper_end_holds_the_truth_in_most_noisy_runs():
    held = [
        arrival_cost_s(excess_s(6e-4, 1e-4, 0.03, seed), OPENED, SUBSCRIBED).high >= 7e-4
        for seed in range(60)
    ]

    assert sum(held) >= 50


def test_less_than_nothing_is_nothing():
    found = arrival_cost_s([-0.1, -0.2, -0.1], [100, 200, 300], [0, 0, 0])

    assert (found.low, found.mid, found.high) == (0.0, 0.0, 0.0)


def test_of_noisy_ramps_the_cost_is_what_all_took_by_all_that_arrived():
    """A ratio estimate: a ramp of few arrivals counts for as little as they are."""
    found = arrival_cost_s([0.06, 0.10, 0.20], [100, 200, 300], [0, 0, 0])

    assert found.mid == pytest.approx(0.36 / 600)
    assert found.low < found.mid < found.high


def test_a_ramp_on_which_nobody_arrived_changes_nothing():
    with_it = arrival_cost_s([0.06, 0.5, 0.20], [100, 0, 300], [0, 0, 0])

    assert with_it.mid == pytest.approx(0.26 / 400)
