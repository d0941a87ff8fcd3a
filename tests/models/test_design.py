import numpy as np
import pytest

from capacity.models.design import (
    SEPARABLE_BELOW,
    _information,
    _log_det,
    _weighted,
    condition_number,
    d_optimal_choice,
)


def test_orthogonal_columns_of_any_size_have_condition_one():
    design = np.array([[1e6, 0.0], [0.0, 1e-6]])

    assert condition_number(design) == pytest.approx(1.0)


def test_two_unit_columns_at_an_angle_have_the_textbook_condition():
    # κ = √((1 + cos φ) / (1 − cos φ)) = cot(φ/2)
    angle = 0.2
    design = np.array([[1.0, np.cos(angle)], [0.0, np.sin(angle)]])

    assert condition_number(design) == pytest.approx(1.0 / np.tan(angle / 2.0))


@pytest.mark.parametrize(("condition", "is_told_apart"), [(29.9, True), (30.1, False)])
def test_columns_are_told_apart_up_to_the_condition_of_thirty(condition, is_told_apart):
    """Belsley, Kuh and Welsch's."""
    angle = 2.0 * np.arctan(1.0 / condition)
    design = np.array([[1.0, np.cos(angle)], [0.0, np.sin(angle)]])

    assert is_told_apart == (condition_number(design) <= SEPARABLE_BELOW)


def test_deliveries_proportional_to_connections_are_singular():
    connections = np.array([0.0, 10.0, 20.0, 40.0])
    design = np.column_stack([np.ones(4), connections, 10.0 * connections])

    assert condition_number(design) == 1e9


def test_a_crossed_design_is_separable():
    design = np.array([[1.0, 100.0, 0.0], [1.0, 100.0, 9.0], [1.0, 200.0, 0.0], [1.0, 200.0, 18.0]])

    assert condition_number(design) < 30.0


@pytest.mark.parametrize("design", [np.ones((1, 2)), np.array([[1.0, 0.0], [1.0, 0.0]])])
def test_too_few_rows_or_an_empty_column_are_singular(design):

    assert condition_number(design) == 1e9


CORNERS = np.array([[x, y] for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0)])


def determinant(rows):
    weighted = np.hstack([np.ones((len(rows), 1)), rows])
    weighted = weighted / (0.1 + 0.9 * rows.mean(axis=1, keepdims=True))
    return float(np.linalg.det(weighted.T @ weighted))


def test_the_choice_is_as_good_as_the_best_of_all():
    from itertools import combinations

    fixed = np.array([[0.0, 0.0]])
    picks = d_optimal_choice(fixed, [CORNERS] * 3)
    best = max(
        determinant(np.vstack([fixed, CORNERS[list(rows)]])) for rows in combinations(range(9), 3)
    )

    assert pytest.approx(best, rel=1e-6) == determinant(np.vstack([fixed, CORNERS[list(picks)]]))


def test_slots_with_the_same_candidates_choose_different_ones():
    picks = d_optimal_choice(np.array([[0.0, 0.0]]), [CORNERS] * len(CORNERS))

    assert sorted(picks) == list(range(len(CORNERS)))


def test_the_same_question_gets_the_same_answer():
    rng = np.random.default_rng(1)
    slots = [rng.random((6, 4)) for _ in range(5)]
    fixed = rng.random((2, 4))

    assert d_optimal_choice(fixed, slots) == d_optimal_choice(fixed, slots)


def test_two_factors_that_only_move_together_so_far_are_told_apart():
    together = np.array([[0.0, 0.0], [1.0, 1.0]])
    apart = np.array([[1.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
    (pick,) = d_optimal_choice(together, [apart])

    assert 2 == pick
    assert condition_number(np.hstack([np.ones((3, 1)), np.vstack([together, apart[[2]]])])) < 5


def test_units_do_not_matter():
    fixed, units = np.array([[0.0, 0.0], [1.0, 0.5]]), np.array([1e-6, 1e9])

    assert d_optimal_choice(fixed, [CORNERS] * 3) == d_optimal_choice(
        fixed * units, [CORNERS * units] * 3
    )


def test_a_factor_that_is_never_on_is_left_out():
    never = np.hstack([CORNERS, np.zeros((9, 1))])

    assert d_optimal_choice(np.zeros((1, 3)), [never] * 2) == d_optimal_choice(
        np.zeros((1, 2)), [CORNERS] * 2
    )


def test_more_slots_than_candidates_are_refused():
    with pytest.raises(ValueError, match="9 candidates are too few"):
        d_optimal_choice(np.zeros((1, 2)), [CORNERS] * 10)


def test_errors_are_relative_to_a_baseline_of_a_tenth_and_the_mean_of_what_is_on():
    rows = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]])

    assert _weighted(rows) == pytest.approx(
        np.array([[10.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1 / 0.55, 1 / 0.55, 0.0]])
    )


def test_as_many_slots_as_candidates_take_all_and_slots_of_their_own_may_take_the_same():
    assert sorted(d_optimal_choice(np.zeros((1, 2)), [CORNERS] * 9)) == list(range(9))
    alone = d_optimal_choice(np.zeros((1, 2)), [CORNERS[[8, 8]], CORNERS[[8, 8]].copy()])
    assert set(alone) <= {0, 1}


def test_a_column_that_nobody_uses_has_no_information():
    assert _log_det(np.zeros((2, 2))) == -np.inf
    assert _log_det(np.diag([2.0, 3.0])) == pytest.approx(np.log(6.0))
    assert _information(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [[10.0, 14.0], [14.0, 20.0]]
