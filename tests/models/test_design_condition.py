import numpy as np
import pytest

from capacity.models.design_condition import SEPARABLE_BELOW, SINGULAR, condition_number


def test_orthogonal_columns_of_any_size_have_condition_one():
    design = np.array([[1e6, 0.0], [0.0, 1e-6]])

    assert condition_number(design) == pytest.approx(1.0)


def test_two_unit_columns_at_an_angle_have_the_textbook_condition():
    # κ = √((1 + cos φ) / (1 − cos φ)) = cot(φ/2)
    angle = 0.2
    design = np.array([[1.0, np.cos(angle)], [0.0, np.sin(angle)]])

    assert condition_number(design) == pytest.approx(1.0 / np.tan(angle / 2.0))


def test_deliveries_proportional_to_connections_are_singular():
    connections = np.array([0.0, 10.0, 20.0, 40.0])
    design = np.column_stack([np.ones(4), connections, 10.0 * connections])

    assert condition_number(design) == SINGULAR


def test_a_crossed_design_is_separable():
    design = np.array([[1.0, 100.0, 0.0], [1.0, 100.0, 9.0], [1.0, 200.0, 0.0], [1.0, 200.0, 18.0]])

    assert condition_number(design) < SEPARABLE_BELOW


@pytest.mark.parametrize("design", [np.ones((1, 2)), np.array([[1.0, 0.0], [1.0, 0.0]])])
def test_too_few_rows_or_an_empty_column_are_singular(design):

    assert condition_number(design) == SINGULAR
