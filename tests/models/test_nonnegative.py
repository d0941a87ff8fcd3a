import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from capacity.models.nonnegative import nonnegative_least_squares


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), columns=st.integers(1, 4))
def test_agrees_with_lawson_and_hanson_as_scipy_solves_it(seed, columns):
    random = np.random.default_rng(seed)
    design, use = random.normal(size=(12, columns)), random.normal(size=12)

    found = nonnegative_least_squares(design.T @ design, design.T @ use)

    assert found == pytest.approx(nnls(design, use)[0], abs=1e-8)


def test_solves_many_problems_in_one_call():
    random = np.random.default_rng(1)
    design, uses = random.random((9, 3)), random.normal(size=(5, 9))
    gram = np.broadcast_to(design.T @ design, (5, 3, 3))

    found = nonnegative_least_squares(gram, uses @ design)

    assert found == pytest.approx(np.array([nnls(design, use)[0] for use in uses]), abs=1e-8)


def test_collinear_columns_still_give_a_finite_fit():
    design = np.array([[1.0, 1.0, 2.0], [1.0, 2.0, 4.0], [1.0, 3.0, 6.0]])
    use = np.array([3.0, 5.0, 7.0])

    found = nonnegative_least_squares(design.T @ design, design.T @ use)

    assert design @ found == pytest.approx(use, rel=1e-6)
