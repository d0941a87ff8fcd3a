import math

import numpy as np
import pytest

from capacity.models.contrasts import StepLine, _share_inside, pooled_error, step_line
from capacity.models.unit_costs import RobustFit, robust_costs

LEVELS = np.array([0.0, 50.0, 100.0, 150.0, 200.0])
STEPS = np.repeat(np.arange(len(LEVELS)), 3)
DESIGN = np.column_stack([np.ones(len(STEPS)), LEVELS[STEPS]])
TRUTH = np.array([10.0, 2.0])


def line_of(use, errors=None):
    return step_line(DESIGN, use, robust_costs(DESIGN, use, errors, is_flow=True), STEPS)


def test_an_exact_line_has_its_coefficients_and_no_error():
    line = line_of(DESIGN @ TRUTH)

    assert line.coefficients == pytest.approx(TRUTH)
    assert line.spare == len(LEVELS) - 2
    assert line.residual_square == pytest.approx(0.0, abs=1e-20)
    assert line.value(np.array([0.0, 1.0])) == pytest.approx(2.0)


def test_the_error_foretold_is_the_error_seen():
    random = np.random.default_rng(4)
    slope = np.array([0.0, 1.0])
    values, errors = [], []
    for _ in range(400):
        by_step = 1.0 + 0.02 * random.standard_normal(len(LEVELS))
        line = line_of(DESIGN @ TRUTH * by_step[STEPS])
        values.append(line.value(slope))
        errors.append((pooled_error([line])[0] * line.reach(slope)) ** 2)

    assert np.std(values) == pytest.approx(math.sqrt(np.mean(errors)), rel=0.15)


def test_scatter_within_steps_counts_where_the_steps_agree_by_chance():
    use = DESIGN @ TRUTH
    line = line_of(use, 0.03 * use)
    error, degrees = pooled_error([line])

    assert error == pytest.approx(0.03 / math.sqrt(3), rel=0.1)
    assert degrees == 3


def test_two_lines_pool_their_degrees_of_freedom():
    use = DESIGN @ TRUTH * (1.0 + 0.01 * np.array([1, -1, 1, -1, 1])[STEPS])

    assert pooled_error([line_of(use), line_of(use)])[1] == 6
    assert pooled_error([line_of(use), line_of(use)])[0] == pytest.approx(
        pooled_error([line_of(use)])[0]
    )


def test_without_a_step_to_spare_nothing_is_known_of_the_error():
    two = STEPS < 2
    fit = RobustFit(coefficients=TRUTH, weights=np.ones(6), errors=np.zeros(6))
    line = step_line(DESIGN[two], (DESIGN @ TRUTH)[two], fit, STEPS[two])

    assert line.spare == 0
    assert pooled_error([line]) is None


def test_the_residuals_of_trusted_steps_make_up_for_those_of_others():
    weights = np.array([1.0, 1.0, 0.91, 0.89]) / 100.0**2

    assert _share_inside(weights, np.full(4, 100.0), np.full(4, 100.0)) == 0.75
    assert _share_inside(0.1 * weights, np.full(4, 100.0), np.full(4, 100.0)) == 0.5
    # Below a tenth of the largest use a line counts as that.
    low = np.array([1.0, 1.0, 0.91, 0.89]) / 10.0**2
    assert _share_inside(low, np.full(4, 1.0), np.array([100.0, 1.0, 1.0, 1.0])) == 0.75
    assert _share_inside(np.full(4, 1.0), np.full(4, 0.5), np.zeros(4)) == 1.0


def test_the_line_goes_through_the_weighted_means_of_the_steps():
    """Two windows a step at loads 0, 1 and 2; the second one of the first step counts thrice."""
    steps = [0, 0, 1, 1, 2, 2]
    design = np.column_stack([np.ones(6), [0.0, 0, 1, 1, 2, 2]])
    use = np.array([10.0, 14.0, 20.0, 20.0, 30.0, 32.0])
    weights = np.array([1.0, 3.0, 2.0, 2.0, 2.0, 2.0]) / 20.0**2
    fit = RobustFit(
        coefficients=np.zeros(2), weights=weights, errors=np.array([0.4, 0.0, 0.3, 0.3, 0.0, 0.0])
    )
    line = step_line(design, use, fit, steps)

    # Means 13, 20 and 31, each of weight 2: 12⅓ + 9·load, off by ⅔, −1⅓ and ⅔.
    assert line.coefficients == pytest.approx([37 / 3, 9.0])
    share = 1 / 3 if (2 / 400 * (37 / 3 + 18) ** 2 > 0.9) else 0.0
    assert line.residual_square == pytest.approx(
        2 / 400 * (4 / 9 + 16 / 9 + 4 / 9) / max(share, inside_of(line)) ** 2
    )
    assert line.square == pytest.approx(2 / 400 * ((0.4 / 4) ** 2 + (0.6 * 2**-0.5 / 2) ** 2) / 3)
    assert line.spare == 1
    assert line.reach(np.array([0.0, 1.0])) == pytest.approx(math.sqrt(400 / 2 / 2))


def inside_of(line):
    trusted = [2 / 400 * max(line.coefficients @ [1.0, load], 3.2) ** 2 > 0.9 for load in range(3)]
    return max(sum(trusted) / 3, 0.5)


def test_what_is_larger_of_between_and_within_counts():
    def made(residual_square, square, spare):
        return StepLine(
            coefficients=np.zeros(1),
            shape=np.eye(1),
            square=square,
            residual_square=residual_square,
            spare=spare,
        )

    assert pooled_error([made(6.0, 1.0, 1), made(6.0, 1.0, 2)]) == (2.0, 3)
    assert pooled_error([made(6.0, 1.0, 1), made(6.0, 17.0, 2)]) == (3.0, 3)
    assert made(0.0, 0.0, 0).reach(np.array([-2.0])) == 2.0
