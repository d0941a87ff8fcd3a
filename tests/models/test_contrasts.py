import math

import numpy as np
import pytest

from capacity.models.contrasts import pooled_error, step_line
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
