import numpy as np
import pytest

from capacity.models.unit_costs import robust_costs
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
