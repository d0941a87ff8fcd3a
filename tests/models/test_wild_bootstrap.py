import numpy as np
import pytest

from capacity.models.unit_costs import RobustFit, robust_costs
from capacity.models.wild_bootstrap import redrawn_costs, step_normals, student_ratio

LEVELS = np.array([0.0, 50, 100, 150, 200, 250, 300, 350])
DESIGN = np.column_stack([np.ones_like(LEVELS), LEVELS])
STEPS = list(range(len(LEVELS)))


def redrawn(use, errors=None, steps=STEPS, design=DESIGN, seed=1):
    fit = robust_costs(design, use, errors, is_flow=True)
    return redrawn_costs(design, use, fit, steps, step_normals(steps, np.random.default_rng(seed)))


def test_windows_of_one_step_share_their_factor():
    normals = step_normals([7, 7, 9], np.random.default_rng(1), replicates=5000)

    assert np.array_equal(normals[:, 0], normals[:, 1])
    assert np.corrcoef(normals[:, 1], normals[:, 2])[0, 1] == pytest.approx(0.0, abs=0.05)
    assert normals.std() == pytest.approx(1.0, rel=0.05)


def test_the_same_seed_gives_the_same_factors():
    one, other = (step_normals([0, 1], np.random.default_rng(4)) for _ in range(2))

    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("degrees", "student"), [(1, 6.314), (2, 2.920), (3, 2.353), (7, 1.895), (30, 1.697)]
)
def test_the_widening_is_that_of_students_t(degrees, student):
    assert student_ratio(degrees) == pytest.approx(
        student / 1.645, rel=0.06 if degrees == 1 else 0.01
    )


def test_no_degree_of_freedom_counts_as_one():
    assert student_ratio(-2) == student_ratio(0) == student_ratio(1)


def test_the_last_replicate_is_the_fit_itself():
    use = DESIGN @ [12.0, 0.5] + np.random.default_rng(3).normal(size=len(LEVELS))
    fit = robust_costs(DESIGN, use, is_flow=True)

    assert redrawn(use)[-1] == pytest.approx(fit.coefficients)


def test_an_exact_line_has_no_scatter():
    assert np.ptp(redrawn(DESIGN @ [12.0, 0.5]), axis=0) == pytest.approx([0.0, 0.0], abs=1e-6)


def test_what_scatters_within_steps_scatters_although_their_means_meet_the_line():
    use = DESIGN @ [12.0, 0.5]
    still, noisy = redrawn(use), redrawn(use, errors=np.full(len(use), 5.0))

    assert noisy[:-1, 1].std() > 100 * still[:-1, 1].std()


def test_a_slope_is_covered_as_often_as_said():
    covered = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        use = DESIGN @ [100.0, 0.5] * (1.0 + 0.05 * random.normal(size=len(LEVELS)))
        low, high = np.quantile(redrawn(use, seed=seed)[:-1, 1], [0.05, 0.95])
        covered += low <= 0.5 <= high

    assert 0.84 <= covered / 200 <= 0.97


def test_many_windows_make_no_step_surer():
    random = np.random.default_rng(5)
    use = DESIGN @ [100.0, 0.5] * (1.0 + 0.05 * random.normal(size=len(LEVELS)))
    alone = redrawn(use)
    thrice = redrawn(
        np.repeat(use, 3), steps=list(np.repeat(STEPS, 3)), design=np.repeat(DESIGN, 3, axis=0)
    )

    assert np.std(thrice[:-1, 1]) == pytest.approx(np.std(alone[:-1, 1]), rel=0.01)


def test_no_cost_falls_below_zero():
    assert redrawn(10.0 - 0.001 * LEVELS, errors=np.full(len(LEVELS), 1.0)).min() == 0.0


def test_the_widening_at_one_degree_is_short_of_students_by_a_twentieth():
    assert student_ratio(1) == pytest.approx(0.951 * 6.314 / 1.645, rel=0.002)


@pytest.mark.parametrize(("degrees", "ratio"), [(1, 3.6514376), (2, 1.7702858)])
def test_the_widening_is_the_expansion_of_abramowitz_and_stegun(degrees, ratio):
    """26.7.5 at x = 1.6449: g₁ = 1.523875, g₂ = 1.420356, g₃ = 0.983151, g₄ = 0.433969."""
    assert student_ratio(degrees) == pytest.approx(ratio, rel=1e-6)


def three_steps(residuals, errors, factors):
    """Return the costs of 100 + 20·load at loads 0, 1 and 2, with such errors and one replicate."""
    design = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    line = design @ [100.0, 20.0]
    fit = RobustFit(
        coefficients=np.array([100.0, 20.0]), weights=np.ones(3), errors=np.array(errors)
    )
    return redrawn_costs(design, line + residuals, fit, [0, 1, 2], np.array([factors]))


@pytest.mark.parametrize(
    ("residuals", "errors", "expected"),
    [
        # Leverages of 5/6, 1/3 and 5/6 leave 1/6, 2/3 and 1/6 of an error as the residual.
        ([0.3, -0.6, 0.3], [0.0, 0.0, 0.0], [1.8, -0.9, 1.8]),
        # Windows that scatter by more than the steps count.
        ([0.3, -0.6, 0.3], [1.7, 1.0, 1.9], [1.8, -1.0, 1.9]),
        ([0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
    ],
)
def test_an_error_is_the_one_to_the_line_of_the_other_steps_widened(residuals, errors, expected):
    wide = 3.6514376
    first, _middle, last = np.array(expected) * wide
    found = three_steps(residuals, errors, [1.0, 0.0, -1.0])

    # Of errors e₀, 0 and −e₂ least squares add (5·e₀ + e₂) / 6 at rest and −(e₀ + e₂) / 2 each.
    assert found[0] == pytest.approx(
        [100.0 + (5 * first + last) / 6, 20.0 - (first + last) / 2], rel=1e-5
    )
    assert found[1] == pytest.approx([100.0, 20.0], rel=1e-5)


def test_windows_of_a_step_share_their_error_and_halve_its_scatter():
    design = np.array([[1.0], [1.0], [1.0], [1.0]])
    weights = np.array([1.0, 3.0, 1.0, 1.0])
    fit = RobustFit(coefficients=np.array([10.0]), weights=weights, errors=np.full(4, 0.8))
    # The mean of the first step is off by (1 − 3) / 4, of which leverages of 4/6 leave a third.
    use = np.array([11.0, 9.0, 10.0, 10.0])
    found = redrawn_costs(design, use, fit, [0, 0, 1, 1], np.array([[1.0, 1.0, 0.0, 0.0]]))

    assert found[:, 0] == pytest.approx([10.0 - 4 / 6 * 1.5 * 3.6514376, 10.0], rel=1e-5)
    # By chance none is off: √(1² + 3²) / 4 of 0.8 is what is left to scatter.
    even = redrawn_costs(
        design, np.full(4, 10.0), fit, [0, 0, 1, 1], np.array([[1.0, 1.0, 0.0, 0.0]])
    )
    assert even[0, 0] == pytest.approx(10.0 + 4 / 6 * 0.8 * 10**0.5 / 4 * 3.6514376, rel=1e-5)


def test_a_step_by_which_a_cost_stands_errs_by_twenty_times_its_residual():
    design = np.array([[1.0, 0.0], [1.0, 1.0]])
    fit = RobustFit(coefficients=np.array([10.0, 9.0]), weights=np.ones(2), errors=np.zeros(2))
    found = redrawn_costs(design, np.array([10.01, 19.0]), fit, [0, 1], np.array([[1.0, 1.0]]))

    assert found[0, 0] == pytest.approx(10.0 + 20 * 0.01 * 3.6514376, rel=1e-5)


def test_of_a_step_that_hardly_counts_the_error_is_hardly_blown_up():
    """Weights beside each other, not their size, make the leverage."""
    design = np.array([[1.0], [1.0]])
    fit = RobustFit(coefficients=np.array([10.0]), weights=np.array([2.0, 6.0]), errors=np.zeros(2))
    found = redrawn_costs(design, np.array([11.0, 10.0]), fit, [0, 1], np.array([[1.0, 1.0]]))

    assert found[0, 0] == pytest.approx(10.0 + 0.25 / 0.75 * 3.6514376, rel=1e-5)


def test_loads_of_millions_are_as_many_steps_as_loads_of_one():
    design = np.array([[1.0, 0.0], [1.0, 1e7], [1.0, 2e7]])
    fit = RobustFit(coefficients=np.array([100.0, 2e-6]), weights=np.ones(3), errors=np.zeros(3))
    use = design @ fit.coefficients + [0.3, -0.6, 0.3]
    found = redrawn_costs(design, use, fit, [0, 1, 2], np.array([[1.0, 0.0, -1.0]]))

    # As above: errors of 1.8 and −1.8 at the ends.
    assert found[0] == pytest.approx([100.0 + 1.8 * 3.6514376, 2e-6 - 1.8e-7 * 3.6514376], rel=1e-4)


def test_each_step_beyond_the_costs_is_a_degree_of_freedom():
    fit = RobustFit(coefficients=np.array([10.0]), weights=np.ones(4), errors=np.zeros(4))
    use = np.array([13.0, 7.0, 13.0, 7.0])
    found = redrawn_costs(np.ones((4, 1)), use, fit, [0, 1, 2, 3], np.array([[1.0, 0, 0, 0]]))

    # Three of them: 2.353 over 1.645.
    assert found[0, 0] == pytest.approx(10.0 + 3.0 / 0.75 / 4 * 2.353 / 1.645, rel=2e-3)
