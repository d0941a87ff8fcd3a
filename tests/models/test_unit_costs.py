import numpy as np
import pytest

from capacity.models.unit_costs import (
    peak_reserve,
    refitted_costs,
    robust_costs,
    solved_costs,
)

CONNECTIONS = np.repeat([0.0, 50.0, 100.0, 150.0, 200.0, 250.0], 5)
DESIGN = np.column_stack([np.ones_like(CONNECTIONS), CONNECTIONS])


def test_an_exact_line_is_found_exactly():
    fit = robust_costs(DESIGN, DESIGN @ [12.0, 0.5])

    assert fit.coefficients == pytest.approx([12.0, 0.5])


def test_one_window_in_ten_that_doubles_does_not_move_the_costs():
    use = DESIGN @ [12.0, 0.5]
    use[[4, 14, 24]] *= 2.0

    fit = robust_costs(DESIGN, use)
    ordinary = np.linalg.lstsq(DESIGN, use)[0]

    assert fit.coefficients == pytest.approx([12.0, 0.5], rel=0.001)
    assert ordinary != pytest.approx([12.0, 0.5], rel=0.05)


def test_a_flow_is_fitted_by_its_mean_where_half_of_the_steps_have_a_burst():
    use = DESIGN @ [12.0, 0.5]
    use[::2] *= 1.3

    flow = robust_costs(DESIGN, use, 0.15 * use, is_flow=True)
    held = robust_costs(DESIGN, use)

    assert flow.coefficients[1] == pytest.approx(0.5 * 1.15, rel=0.03)
    assert held.coefficients[1] < 0.5 * 1.15


def test_one_step_in_ten_that_doubles_or_halves_is_an_outlier_of_a_flow():
    for factor in (2.0, 0.5):
        use = DESIGN @ [12.0, 0.5]
        use[[4, 14, 24]] *= factor

        flow = robust_costs(DESIGN, use, 0.01 * use, is_flow=True)

        assert flow.coefficients == pytest.approx([12.0, 0.5], rel=0.04)


def test_the_reserve_is_what_all_but_the_highest_twentieth_of_peaks_need():
    line = np.full(101, 50.0)

    assert peak_reserve(line, line + np.arange(101.0)) == pytest.approx(95.0)


def test_peaks_below_the_line_need_no_reserve():

    assert peak_reserve(np.array([5.0, 6.0]), np.array([4.0, 5.0])) == 0.0


def test_a_falling_use_costs_nothing_rather_than_less_than_nothing():
    fit = robust_costs(DESIGN, 100.0 - 0.1 * CONNECTIONS)

    assert fit.coefficients[1] == 0.0


def test_a_use_of_zero_everywhere_costs_zero():
    fit = robust_costs(DESIGN, np.zeros(len(DESIGN)))

    assert fit.coefficients == pytest.approx([0.0, 0.0])


def test_costs_of_very_different_size_are_separated():
    random = np.random.default_rng(5)
    deliveries = 1e4 * random.random(len(DESIGN))
    design = np.column_stack([DESIGN, deliveries])
    truth = np.array([6e7, 6e4, 3.0])

    fit = robust_costs(design, design @ truth)

    assert fit.coefficients == pytest.approx(truth, rel=1e-6)


def test_resampling_with_equal_weights_is_the_fit_itself():
    random = np.random.default_rng(7)
    use = DESIGN @ [12.0, 0.5] + random.random(len(DESIGN))
    weights = random.random(len(DESIGN))

    replicates = refitted_costs(DESIGN, use, weights, np.ones((2, len(DESIGN))))

    assert replicates == pytest.approx(np.tile(refitted_costs(DESIGN, use, weights), (2, 1)))


def test_a_load_that_hardly_was_there_has_no_cost():
    connections = np.array([1.0, 10, 20, 30])
    design = np.column_stack([np.ones(4), connections, np.full(4, 5e-324)])

    costs = refitted_costs(design, 7 + 2 * connections, np.ones(4))

    assert [7, 2, 0] == pytest.approx(costs.tolist())


def test_costs_of_very_different_size_are_found_exactly():
    use = DESIGN @ [3e9, 2.5]

    assert refitted_costs(DESIGN, use, 1.0 / use**2) == pytest.approx([3e9, 2.5], rel=1e-4)


def test_many_uses_are_solved_at_once_each_to_its_own_line():
    truth = np.array([[12.0, 0.5], [3e9, 2.5e6], [0.0, 1e-3]])
    weights = np.ones(len(CONNECTIONS))

    assert solved_costs(DESIGN, truth @ DESIGN.T, weights) == pytest.approx(
        truth, rel=1e-6, abs=1e-6
    )


def location(reach, power):
    """Return the middle of four tens and an eleven that is trusted by (reach / off)ᵖ."""
    middle = 10.0
    for _ in range(50):
        trust = min(1.0, reach(middle) / (11.0 / middle - 1.0)) ** power
        middle = (40.0 + 11.0 * trust) / (4.0 + trust)
    return middle


@pytest.mark.parametrize(
    ("is_flow", "errors", "reach", "power"),
    [
        # Huber's 1.345 of a thousandth, the least scale; of what is held, squared.
        (False, None, lambda _middle: 1.345e-3, 2),
        (True, None, lambda _middle: 1.345e-3, 1),
        # A flow is no surer than the standard error of its means.
        (True, np.full(5, 0.2), lambda middle: 1.345 * 0.2 / middle, 1),
        (True, np.array([0.1, 0.2, 0.3, 0.4, 0.5]), lambda middle: 1.345 * 0.11**0.5 / middle, 1),
        (False, np.full(5, 0.2), lambda _middle: 1.345e-3, 2),
    ],
)
def test_an_outlier_above_is_trusted_as_huber_says(is_flow, errors, reach, power):
    use = np.array([10.0, 10.0, 10.0, 10.0, 11.0])
    fit = robust_costs(np.ones((5, 1)), use, errors, is_flow=is_flow)

    middle = fit.coefficients[0]

    assert middle - 10.0 == pytest.approx(location(reach, power) - 10.0, rel=0.01)
    assert fit.weights[-1] / fit.weights[0] == pytest.approx(
        (reach(middle) / (11.0 / middle - 1.0)) ** power, rel=1e-3
    )


def test_an_outlier_below_is_trusted_more_than_one_above():
    lull = robust_costs(np.ones((5, 1)), np.array([10.0, 10.0, 10.0, 10.0, 9.0]))

    assert lull.weights[-1] / lull.weights[0] == pytest.approx(1.345e-3 / 0.1, rel=0.02)


def test_the_scale_is_that_of_normal_errors_by_their_median():
    use = np.array([99.0, 101.0, 99.0, 101.0, 100.0, 100.0, 110.0])
    fit = robust_costs(np.ones((7, 1)), use, is_flow=True)
    off = np.abs(use / fit.coefficients[0] - 1.0)
    reach = 1.345 * 1.4826 * np.median(off)

    assert fit.weights[-1] / fit.weights[4] == pytest.approx(
        reach / off[-1] / min(1.0, reach / off[4]), rel=1e-3
    )


def test_uses_below_a_tenth_of_the_largest_weigh_as_a_tenth():
    design = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 100.0]])
    fit = robust_costs(design, design @ [1.0, 1.0])

    assert fit.weights == pytest.approx(1.0 / np.array([10.1, 10.1, 10.1, 101.0]) ** 2)
