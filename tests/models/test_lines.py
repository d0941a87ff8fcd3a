import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from capacity.models.lines import least_squares_line, relative_line, theil_sen_line

LOADS = np.array([100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0])


@pytest.mark.parametrize("line", [least_squares_line, relative_line, theil_sen_line])
@given(intercept=st.floats(0.0, 10.0), slope=st.floats(1e-6, 10.0))
def test_every_line_finds_the_one_that_the_points_lie_on(line, intercept, slope) -> None:
    found = line(LOADS, intercept + slope * LOADS)

    assert pytest.approx((intercept, slope), rel=1e-6, abs=1e-5) == found


def test_theil_sen_ignores_two_wild_points_of_eight() -> None:
    values = 1.0 + 0.5 * LOADS
    values[[2, 6]] = 1e6, -1e6

    assert pytest.approx((1.0, 0.5)) == theil_sen_line(LOADS, values)


def test_the_relative_line_never_falls() -> None:
    assert relative_line(LOADS, 1000.0 - LOADS)[1] == 0.0


@pytest.mark.parametrize("line", [least_squares_line, relative_line, theil_sen_line])
def test_points_at_one_load_make_no_rising_line_by_chance(line) -> None:
    intercept, slope = line(np.full(4, 100.0), np.full(4, 3.0))

    assert pytest.approx(3.0) == intercept + 100.0 * slope


@pytest.mark.parametrize("line", [least_squares_line, theil_sen_line])
def test_points_at_one_load_make_a_line_that_is_flat(line) -> None:
    assert line(np.full(4, 100.0), np.array([1.0, 2.0, 4.0, 5.0])) == (3.0, 0.0)


@pytest.mark.parametrize("line", [least_squares_line, relative_line, theil_sen_line])
def test_two_points_make_the_line_through_both(line) -> None:
    assert line(np.array([1.0, 3.0]), np.array([2.0, 8.0 / 3.0])) == pytest.approx((5 / 3, 1 / 3))


def test_values_below_a_thousandth_of_the_largest_weigh_as_that() -> None:
    loads, values = np.array([1.0, 2.0, 3.0]), np.array([0.0, 500.0, 1000.0])
    weights = np.array([1.0, 1 / 500, 1 / 1000])
    matrix = np.stack([np.ones(3), loads], axis=1) * weights[:, None]

    assert relative_line(loads, values) == pytest.approx(
        tuple(nnls(matrix, values * weights)[0]), rel=1e-6, abs=1e-6
    )


def test_nothing_everywhere_is_a_line_of_nothing() -> None:
    assert relative_line(np.zeros(3), np.zeros(3)) == (0.0, 0.0)
    assert relative_line(np.array([1.0, 2.0]), np.zeros(2)) == (0.0, 0.0)
    assert theil_sen_line(np.array([1.0]), np.array([5.0])) == (5.0, 0.0)
